import { counted } from '../report/format.ts';
import { LEAST_SEALED, leastP, VERDICT_ALPHA } from '../selection/verdict.ts';
import type { Role, Suite } from '../suite/suite.ts';

/**
 * What a run on a suite cannot claim, however it goes; a sentence each, to be said before anything is spent. Nothing for a
 * suite without roles: its folds have them.
 */
export function cannotClaim({ tasks, roleless }: Pick<Suite, 'tasks' | 'roleless'>): string[] {
  if (roleless) return [];
  const sealed = tasks.filter(({ role }) => role === 'sealed').length;
  const said: string[] = [];
  if (sealed === 0) {
    said.push('there are no sealed tasks, so there will be no verdict: nothing says what a gain is worth');
  } else if (sealed < LEAST_SEALED) {
    said.push(
      `only ${counted(sealed, 'sealed task')}, so no verdict is possible: ` +
        `the exact test cannot go under p = ${leastP(sealed).toPrecision(2)}, and ${VERDICT_ALPHA} is needed (${LEAST_SEALED} tasks)`,
    );
  }
  return [...said, ...cannotCredit(tasks)];
}

/** As `cannotClaim`, of search and validation tasks alone: what stands in no fold's way to a verdict over all. */
export function cannotCredit(tasks: Suite['tasks']): string[] {
  const count = (role: Role) => tasks.filter((task) => task.role === role).length;
  const said: string[] = [];
  if (count('validation') === 0) said.push('there are no validation tasks, so no step can be credited');
  if (count('search') === 1) {
    said.push('there is one search task only, so everything that is found may be luck of that task');
  }
  return said;
}
