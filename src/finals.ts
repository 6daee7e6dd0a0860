import type { TrialSpec } from './evaluation/trial.ts';
import type { Candidate, Estimate, Result, Stage, Stop } from './event.ts';
import {
  isCredited,
  judge,
  meanOrNull,
  repeatedTrials,
  type TaskMeans,
  taskMeans,
} from './selection/credit.ts';
import { priorMean, updateEstimate } from './selection/estimate.ts';
import { chooseFinalists } from './selection/finalists.ts';
import { type MeasureParts, measure, pairs } from './selection/measure.ts';
import { rank } from './selection/survival.ts';
import type { State } from './state.ts';
import type { Role, Suite, Task } from './suite/suite.ts';

export type FinalsParts = MeasureParts & { suite: Suite; generations: number; commit(): Promise<void> };

/** Repeats from here on are for finals: no generation reaches them. */
const FINALS = 1_000_000;

/**
 * The end of a run. Finalists and baseline get fresh repeats of all search tasks (others for another number of
 * generations); the best is the champion, frozen in the journal before any validation or sealed trial; champion
 * and baseline then meet validation and sealed tasks on the same seeds. Taken up where it was cut.
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
  const both = [state.baseline, state.champion!];
  const { sealedRepeats } = identity.search;
  const [validation, sealed] = [tasksOf(parts, 'validation'), tasksOf(parts, 'sealed')];
  const cut =
    (await trial('validation', repeatedTrials(parts, both, validation, sealedRepeats))) ??
    (await trial('sealed', repeatedTrials(parts, both, sealed, sealedRepeats)));
  if (cut) return stopHere(parts, cut);

  const result = resultOf(parts, state.champion!);
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

function resultOf(parts: FinalsParts, champion: string): Result {
  const { state, identity, generations } = parts;
  const { search, finalRepeats, from } = finalsOf(parts);
  const { sealedRepeats } = identity.search;
  const validation = tasksOf(parts, 'validation');
  const sealed = taskMeans(parts, champion, tasksOf(parts, 'sealed'), sealedRepeats);
  const means = {
    search: taskMeans(parts, champion, search, finalRepeats, from),
    validation: taskMeans(parts, champion, validation, sealedRepeats),
    sealed,
  };
  const of = (rows: TaskMeans[], who: 'champion' | 'baseline') => meanOrNull(rows.map((row) => row[who]));
  const scores = (who: 'champion' | 'baseline') => ({
    search: of(means.search, who),
    validation: of(means.validation, who),
    sealed: of(means.sealed, who),
  });
  return {
    stop: 'finished',
    generations,
    champion: {
      id: champion,
      lineage: state.candidates.get(champion)!.lineage,
      credited: isCredited(parts, champion, validation, sealedRepeats),
      ...scores('champion'),
    },
    baseline: { id: state.baseline, ...scores('baseline') },
    ...judge(sealed),
  };
}

function finalsOf({ suite, identity, generations }: FinalsParts): {
  search: Task[];
  finalRepeats: number;
  from: number;
} {
  const { finalRepeats } = identity.search;
  return { search: tasksOf({ suite }, 'search'), finalRepeats, from: FINALS + generations * finalRepeats };
}

function tasksOf({ suite }: { suite: Suite }, role: Role): Task[] {
  return suite.tasks.filter((task) => task.role === role);
}
