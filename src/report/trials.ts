import { type Outcome, scoreOf, type TrialSpec } from '../evaluation/trial.ts';
import type { Event } from '../event.ts';
import type { State } from '../state.ts';
import type { Role } from '../suite/suite.ts';

/** A trial that was run, and what it gave. */
export type Tried = { spec: TrialSpec; outcome: Outcome };

export type Medals = { gold: number; silver: number; bronze: number; trials: number };

export type TaskRow = {
  task: string;
  role: Role;
  family: string;
  distance: 'near' | 'far' | null;
  /** Repeats on which both have a score; the means are over these. */
  repeats: number;
  baseline: number;
  champion: number;
  medals: { baseline: Medals; champion: Medals };
};

/** Every trial with its outcome. */
export function triedOf(state: State): Tried[] {
  return [...state.trials.values()].map((spec) => ({ spec, outcome: state.outcomes.get(spec.id)! }));
}

/**
 * How many trials were run, and how many are lost. `cached` counts those that a stage of a generation asked for
 * and that an earlier one had paid for already; asking again after a cut does not count.
 */
export function countTrials(
  events: readonly Event[],
  trials: readonly Tried[],
): { run: number; cached: number; lost: number } {
  const asked = new Set<string>();
  const known = new Set<string>();
  for (const event of events) {
    if (event.type !== 'planned') continue;
    for (const id of [...event.trials, ...(event.known ?? [])]) {
      asked.add(`${event.generation} ${event.stage} ${id}`);
      known.add(id);
    }
  }
  return {
    run: trials.length,
    cached: asked.size - known.size,
    lost: trials.filter(({ outcome }) => outcome.kind === 'lost').length,
  };
}

/** Champion and baseline on every task, over the repeats on which both have a score. */
export function taskRows(
  trials: readonly Tried[],
  tasks: readonly { id: string; family: string; distance: 'near' | 'far' | null }[],
  baseline: string,
  champion: string,
): TaskRow[] {
  const known = new Map(tasks.map((task) => [task.id, task]));
  const order = { search: 0, validation: 1, sealed: 2 };
  const byTask = groupBy(trials, ({ spec }) => spec.task);
  const rows = [...byTask].flatMap(([task, group]): TaskRow[] => {
    const pick = (genome: string) =>
      new Map(group.filter(({ spec }) => spec.genome === genome).map((trial) => [trial.spec.repeat, trial]));
    const [ofBaseline, ofChampion] = [pick(baseline), pick(champion)];
    const pairs = [...ofBaseline].flatMap(([repeat, first]): [Tried, Tried][] => {
      const second = ofChampion.get(repeat);
      const both = second && scoreOf(first.outcome) !== null && scoreOf(second.outcome) !== null;
      return both ? [[first, second]] : [];
    });
    if (pairs.length === 0) return [];
    const sides = [pairs.map(([first]) => first), pairs.map(([, second]) => second)] as const;
    return [
      {
        task,
        role: group[0]!.spec.role,
        family: known.get(task)?.family ?? '',
        distance: known.get(task)?.distance ?? null,
        repeats: pairs.length,
        baseline: meanScore(sides[0]),
        champion: meanScore(sides[1]),
        medals: { baseline: medalsOf(sides[0]), champion: medalsOf(sides[1]) },
      },
    ];
  });
  return rows.sort((a, b) => order[a.role] - order[b.role] || (a.task < b.task ? -1 : 1));
}

function meanScore(trials: readonly Tried[]): number {
  return trials.reduce((sum, { outcome }) => sum + (scoreOf(outcome) ?? 0), 0) / trials.length;
}

/** The medals of these trials; lost ones do not count. */
export function medalsOf(trials: readonly Tried[]): Medals {
  const count = (medal: string) =>
    trials.filter(({ outcome }) => outcome.kind === 'scored' && outcome.medal === medal).length;
  const known = trials.filter(({ outcome }) => outcome.kind !== 'lost').length;
  return { gold: count('gold'), silver: count('silver'), bronze: count('bronze'), trials: known };
}

/** Items by key, in the order of first appearance (`Map.groupBy` comes with Node 21). */
export function groupBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
