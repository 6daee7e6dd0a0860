import type { TrialSpec } from './evaluation/trial.ts';
import type { Candidate, Estimate, Result, Stage, Stop } from './event.ts';
import { type CreditParts, testClaims } from './selection/credit.ts';
import { priorMean, updateEstimate } from './selection/estimate.ts';
import { chooseFinalists, FINALS } from './selection/finalists.ts';
import { measure, pairs } from './selection/measure.ts';
import { resultOf, stepsOf } from './selection/result.ts';
import { rank } from './selection/survival.ts';
import { repeatedTrials, tasksOf } from './selection/task-means.ts';
import type { State } from './state.ts';
import type { Task } from './suite/suite.ts';

export type FinalsParts = CreditParts;

/**
 * The end of a run. Finalists and baseline get fresh repeats of all search tasks (others for another number of
 * generations); the best is the champion, frozen in the journal before any validation or sealed trial. Then claims are
 * tested on validation tasks, and champion and baseline meet the sealed tasks on the same seeds: once, so a run that was
 * extended afterwards and has another champion now gets no second look. Taken up where it was cut.
 */
export async function finish(parts: FinalsParts): Promise<Result> {
  const { state, generations, identity } = parts;
  const finalists = chooseFinalists(parts);
  const { search, finalRepeats, from } = finalsOf(parts);
  const trial = (stage: Stage, specs: TrialSpec[]) => measure(parts, generations, stage, specs);

  const stopped = await trial(
    'finals',
    repeatedTrials(parts, [state.baseline, ...finalists], search, finalRepeats, from),
  );
  if (stopped) return stopHere(parts, stopped);
  if (state.champion === null) {
    parts.record({ type: 'champion', generation: generations, candidate: chooseChampion(parts, finalists) });
    await parts.commit();
  }
  const uncredited = await testClaims(parts);
  if (uncredited) return stopHere(parts, uncredited);
  const { sealedFor, champion, baseline } = state;
  if (champion === baseline || sealedFor === null || sealedFor === champion) {
    const { sealedRepeats } = identity.search;
    const both = repeatedTrials(parts, [baseline, champion!], tasksOf(parts, 'sealed'), sealedRepeats);
    const cut = await trial('sealed', both);
    if (cut) return stopHere(parts, cut);
  }

  const result = resultOf(parts, { count: finalRepeats, from });
  parts.record({ type: 'ended', result });
  await parts.commit();
  return result;
}

/** Ends a run before its end: journals why, so that a report made later knows. */
export function stopHere(parts: Pick<FinalsParts, 'state' | 'record'>, stop: Stop): Result {
  parts.record({ type: 'stopped', stop });
  return unfinished(parts, stop);
}

/** What can be said of a run that was stopped: nothing on tasks that the search did not see. */
export function unfinished({ state }: { state: State }, stop: Stop): Result {
  const best = state.champion ?? state.survivors[0];
  const { lineage } = (best && state.candidates.get(best)) || { lineage: '' };
  const search = (id: string) => state.estimates.get(id)?.score ?? null;
  return {
    stop,
    generations: state.generation + 1,
    champion: best
      ? { id: best, lineage, credited: false, search: search(best), validation: null, sealed: null }
      : null,
    baseline: { id: state.baseline, search: search(state.baseline), validation: null, sealed: null },
    gain: null,
    near: null,
    far: null,
    verdict: 'not measured',
    power: null,
    claims: [],
    steps: stepsOf(state),
  };
}

/**
 * The finalist with the best mean difference to the baseline over the final repeats, shrunk towards what was
 * believed of it before as a child's is towards its parent: it was selected on that. The baseline where no
 * finalist is believed to be better.
 */
function chooseChampion(parts: FinalsParts, finalists: readonly string[]): string {
  const { state } = parts;
  const { search, finalRepeats, from } = finalsOf(parts);
  const believed = new Map<string, Estimate>();
  for (const id of finalists) {
    const found = Array.from({ length: finalRepeats }, (_, i) => pairs(parts, id, search, from + i)).flat();
    believed.set(id, updateEstimate(undefined, found, priorMean([state.estimates.get(id)]), true));
  }
  const [best] = rank(
    finalists.map((id): Candidate => state.candidates.get(id)!),
    believed,
  );
  return best && believed.get(best.id)!.shrunk > 0 ? best.id : state.baseline;
}

function finalsOf({
  suite,
  identity,
  generations,
}: Pick<FinalsParts, 'suite' | 'identity' | 'generations'>): {
  search: Task[];
  finalRepeats: number;
  from: number;
} {
  const { finalRepeats } = identity.search;
  return { search: tasksOf({ suite }, 'search'), finalRepeats, from: FINALS + generations * finalRepeats };
}
