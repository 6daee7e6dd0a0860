import type { TrialSpec } from '../evaluation/trial.ts';
import type { RunIdentity } from '../event.ts';
import { rngAt } from '../rng.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { block, score } from './measure.ts';
import { mean, type TaskMeans } from './task-means.ts';

/** The draws of the baseline for one sealed task at one repeat; the first is the baseline's own sealed trial. */
export type Cell = { task: Task; repeat: number; draws: TrialSpec[] };

type Known = { identity: RunIdentity; state: State };

/** Repeats of sealed tasks from here on are never drawn, for so many trials over so many sealed tasks. */
export function drawsBelow(trials: number, tasks: number, repeats: number): number {
  return repeats * (1 + (tasks === 0 ? 0 : Math.ceil(trials / (tasks * repeats))));
}

/**
 * Plain extra sampling at equal cost: the trials that a search takes are spent on the baseline alone, evenly over sealed
 * tasks and repeats (what is left over goes to the first tasks of the first repeats), beside the one that each gets anyway.
 * Draw d at repeat r is the trial at repeat r + d × `sealedRepeats`.
 */
export function resampleCells(known: Known, sealed: readonly Task[], trials: number): Cell[] {
  const { sealedRepeats } = known.identity.search;
  const cells = sealed.length * sealedRepeats;
  const more = (place: number) => Math.floor(trials / cells) + (place < trials % cells ? 1 : 0);
  return sealed.flatMap((task, i) =>
    Array.from({ length: sealedRepeats }, (_, repeat) => ({
      task,
      repeat,
      draws: Array.from(
        { length: 1 + more(repeat * sealed.length + i) },
        (_, d) => block(known, known.state.baseline, [task], repeat + d * sealedRepeats)[0]!,
      ),
    })),
  );
}

/**
 * What is handed in: in each cell the draw whose figure, the one that the agent itself knew (`ownFigure`), is best in the
 * task's direction; the first of equals, and the first draw where none has one. No score is looked at to choose.
 * Means by task, `champion` for what was chosen and `baseline` for the first draw; a task without a pair is left out.
 */
export function bestOfDraws(
  { state }: Pick<Known, 'state'>,
  cells: readonly Cell[],
  figure: (trial: string) => number | null,
): TaskMeans[] {
  const rows = new Map<string, { task: Task; chosen: number[]; first: number[] }>();
  for (const { task, draws } of cells) {
    const chosen = score(state.outcomes.get(chooseDraw(task, draws, figure).id));
    const first = score(state.outcomes.get(draws[0]!.id));
    const row = rows.get(task.id) ?? { task, chosen: [], first: [] };
    rows.set(task.id, row);
    if (chosen === null || first === null) continue;
    row.chosen.push(chosen);
    row.first.push(first);
  }
  return [...rows.values()].flatMap(({ task, chosen, first }) => {
    if (chosen.length === 0) return [];
    const [champion, baseline] = [mean(chosen), mean(first)];
    return [{ task, champion, baseline, gain: champion - baseline }];
  });
}

/**
 * What luck alone would report: how far the best of `candidates` blocks of the baseline itself lies above its mean, each
 * block one score a task drawn with replacement from the scores known of that task (null without any). A mean over 1,000
 * simulated searches from a fixed seed.
 */
export function luckOfTheBest(byTask: readonly (readonly number[])[], candidates: number): number | null {
  const tasks = byTask.filter((scores) => scores.length > 0);
  if (tasks.length === 0 || candidates < 1) return null;
  const rng = rngAt('luck', candidates);
  const truth = mean(tasks.map(mean));
  let total = 0;
  for (let search = 0; search < SEARCHES; search++) {
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < candidates; i++) best = Math.max(best, mean(tasks.map((scores) => rng.pick(scores))));
    total += best;
  }
  return total / SEARCHES - truth;
}

/** Scores of the baseline in a run's search trials, by task. */
export function baselineScores({ state }: Pick<Known, 'state'>): number[][] {
  const byTask = new Map<string, number[]>();
  for (const [id, { genome, role, task }] of state.trials) {
    const value = score(state.outcomes.get(id));
    if (role !== 'search' || genome !== state.baseline || value === null) continue;
    byTask.set(task, [...(byTask.get(task) ?? []), value]);
  }
  return [...byTask].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, scores]) => scores.sort((a, b) => a - b));
}

const SEARCHES = 1000;

function chooseDraw(
  task: Task,
  draws: readonly TrialSpec[],
  figure: (trial: string) => number | null,
): TrialSpec {
  const sign = task.direction === 'max' ? 1 : -1;
  let best = draws[0]!;
  let height = Number.NEGATIVE_INFINITY;
  for (const draw of draws) {
    const value = figure(draw.id);
    if (value === null || sign * value <= height) continue;
    height = sign * value;
    best = draw;
  }
  return best;
}
