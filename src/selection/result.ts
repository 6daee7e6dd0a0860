import type { Result } from '../event.ts';
import type { State } from '../state.ts';
import { type ClaimParts, whyUntested } from './claims.ts';
import { claimResults } from './credit.ts';
import { meanOrNull, type TaskMeans, taskMeans, tasksOf } from './task-means.ts';
import { judge } from './verdict.ts';

/**
 * The result of a run whose champion is measured, from its state alone. `finals` says on which repeats of the search tasks
 * the finalists were compared; scores on validation tasks are those of the claim for the champion, if it was tested.
 */
export function resultOf(
  parts: ClaimParts & { generations: number },
  finals: { count: number; from: number },
): Result {
  const { state, identity, generations } = parts;
  const champion = state.champion!;
  const opened = [null, champion].includes(state.sealedFor) || champion === state.baseline;
  const search = taskMeans(parts, champion, tasksOf(parts, 'search'), finals.count, finals.from);
  const sealed = opened
    ? taskMeans(parts, champion, tasksOf(parts, 'sealed'), identity.search.sealedRepeats)
    : [];
  const claims = claimResults(parts);
  // It may have been named as a step, when another candidate was the champion.
  const own = claims.find((claim) => claim.candidate === champion && claim.against === state.baseline);
  const of = (rows: TaskMeans[], who: 'champion' | 'baseline') => meanOrNull(rows.map((row) => row[who]));
  const judged = judge(sealed);
  const untested = whyUntested(parts);
  return {
    stop: 'finished',
    generations,
    champion: {
      id: champion,
      lineage: state.candidates.get(champion)!.lineage,
      credited: own?.credited ?? false,
      search: of(search, 'champion'),
      validation: own?.scores.candidate ?? null,
      sealed: of(sealed, 'champion'),
    },
    baseline: {
      id: state.baseline,
      search: of(search, 'baseline'),
      validation: own?.scores.against ?? null,
      sealed: of(sealed, 'baseline'),
    },
    ...judged,
    ...(champion === state.baseline ? { power: null } : {}),
    ...(opened ? {} : { verdict: 'not measured', sealedFor: state.sealedFor! }),
    claims,
    ...(untested ? { untested } : {}),
    steps: stepsOf(state),
  };
}

/** How many children were bred: each is a step from its first parent. */
export function stepsOf({ candidates }: State): number {
  return [...candidates.values()].filter(({ parents }) => parents.length > 0).length;
}
