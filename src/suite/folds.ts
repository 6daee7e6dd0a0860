import { UserError } from '../errors.ts';
import { hashJson } from '../json.ts';
import { rngAt, seedAt } from '../rng.ts';
import type { Role, Suite, Task } from './suite.ts';

/** The ids of tasks by role. */
export type Roles = Record<Role, string[]>;

/** One of K searches: `suite` has all tasks, those of its own fold sealed. Its seed is its own, drawn from the run's. */
export type Fold = { name: string; seed: number; suite: Suite };

/** From so many tasks outside a fold on, every fourth of them is for validation; of fewer, none can be spared. */
const ENOUGH = 8;
const VALIDATED = 1 / 4;

/**
 * Splits a suite without roles into K folds that depend on `seed` and the tasks' ids and families alone. Each task is
 * sealed in one of them; sizes differ by one at most, and so does the share that each gets of a family. Of the tasks
 * outside a fold a quarter is for validation where there are at least 8, rounded down and taken from the largest
 * families, so that the search keeps some of each; the others are for search. A sealed task is near where the search of
 * its fold sees its family. Throws a `UserError` where there are fewer tasks than folds, or where the suite has roles.
 */
export function foldSuite(suite: Suite, k: number, seed: number): Fold[] {
  if (!suite.roleless) {
    throw new UserError(
      `--folds is for a suite without roles, and ${suite.name} gives its tasks roles`,
      'leave --folds out, or take "role" out of a copy of its suite.json',
    );
  }
  if (suite.tasks.length < k) {
    throw new UserError(
      `--folds ${k} needs ${k} tasks, and ${suite.name} has ${suite.tasks.length}`,
      suite.tasks.length < 2 ? 'add tasks to the suite' : `ask for ${suite.tasks.length} folds at most`,
    );
  }
  const order = shuffled(suite.tasks, seed);
  return split(order, k).map((sealed, i) => {
    const rest = order.filter((task) => !sealed.includes(task));
    const validation = chooseValidation(rest);
    const search = rest.filter((task) => !validation.includes(task));
    const ids = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
    const roles: Roles = { search: ids(search), validation: ids(validation), sealed: ids(sealed) };
    return { name: `fold-${i + 1}`, seed: seedAt(seed, 'fold', i + 1), suite: withRoles(suite, roles) };
  });
}

/** The suite without roles as one of its folds has it; tasks that have no role there are left out. */
export function withRoles(suite: Suite, given: Roles): Suite {
  const roles = new Map<string, Role>(
    (['search', 'validation', 'sealed'] as const).flatMap((role) => given[role].map((id) => [id, role])),
  );
  const of = suite.tasks.filter(({ id }) => roles.has(id));
  const seen = new Set(of.filter(({ id }) => roles.get(id) === 'search').map(({ family }) => family));
  const tasks = of.map((task): Task => {
    const role = roles.get(task.id)!;
    return {
      ...task,
      role,
      // As the loader has it: a job that is stopped early is no score for credit.
      prune: role === 'search' ? task.prune : null,
      distance: role === 'sealed' ? (seen.has(task.family) ? 'near' : 'far') : null,
    };
  });
  const { roleless: _, ...rest } = suite;
  return { ...rest, hash: hashJson([suite.hash, [...roles].sort()]), tasks };
}

/** Throws a `UserError` that says both ways out where a suite gives no roles. */
export function refuseNoRoles({ name, roleless }: Suite): void {
  if (!roleless) return;
  throw new UserError(
    `the suite ${name} gives its tasks no roles, so nothing would be kept from the search`,
    'give each task of suite.json a "role" (search, validation or sealed), or give --folds K for K searches, each blind to its own fold',
  );
}

/** By id first: the order in `suite.json` must not matter. */
function shuffled(tasks: readonly Task[], seed: number): Task[] {
  const byId = [...tasks].sort((a, b) => (a.id < b.id ? -1 : 1));
  return rngAt(seed, 'folds').shuffle(byId);
}

/** Deals the tasks out family by family, so that sizes and shares of families are within one of each other. */
function split(order: readonly Task[], k: number): Task[][] {
  const families = [...new Set(order.map(({ family }) => family))];
  const dealt = families.flatMap((family) => order.filter((task) => task.family === family));
  return Array.from({ length: k }, (_, fold) => dealt.filter((_, i) => i % k === fold));
}

function chooseValidation(rest: readonly Task[]): Task[] {
  const wanted = rest.length < ENOUGH ? 0 : Math.floor(rest.length * VALIDATED);
  const search = [...rest];
  const chosen: Task[] = [];
  while (chosen.length < wanted) {
    const size = ({ family }: Task) => search.filter((task) => task.family === family).length;
    const largest = Math.max(...search.map(size));
    const at = search.findIndex((task) => size(task) === largest);
    chosen.push(...search.splice(at, 1));
  }
  return chosen;
}
