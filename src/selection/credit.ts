import type { TrialSpec } from '../evaluation/trial.ts';
import type { Result, RunIdentity } from '../event.ts';
import type { State } from '../state.ts';
import { tInterval } from '../statistics/interval.ts';
import { signFlip } from '../statistics/sign-flip.ts';
import type { Task } from '../suite/suite.ts';
import { block, pairs } from './measure.ts';

/** Two-sided level of the verdict. */
const ALPHA = 0.05;

type Known = { identity: RunIdentity; state: State };

/** A candidate and the baseline on one task, over the repeats that both have a score for. */
export type TaskMeans = { task: Task; baseline: number; champion: number; gain: number };

/** Trials of these genomes on these tasks at the repeats `first` … `first + count − 1`. */
export function repeatedTrials(
  known: Known,
  genomes: readonly string[],
  tasks: readonly Task[],
  count: number,
  first = 0,
): TrialSpec[] {
  const repeats = Array.from({ length: count }, (_, i) => first + i);
  return repeats.flatMap((repeat) => [...new Set(genomes)].flatMap((id) => block(known, id, tasks, repeat)));
}

/** Task means over those repeats, in task order; a task without a single pair is left out. */
export function taskMeans(
  known: Known,
  candidate: string,
  tasks: readonly Task[],
  count: number,
  first = 0,
): TaskMeans[] {
  const repeats = Array.from({ length: count }, (_, i) => first + i);
  return tasks.flatMap((task) => {
    const found = repeats.flatMap((repeat) => pairs(known, candidate, [task], repeat));
    if (found.length === 0) return [];
    const champion = mean(found.map((pair) => pair.score));
    const gain = mean(found.map((pair) => pair.difference));
    return [{ task, champion, gain, baseline: champion - gain }];
  });
}

/** Whether the validation tasks bear out that the candidate is better: the 95% interval over task means lies above 0. */
export function isCredited(known: Known, candidate: string, tasks: readonly Task[], count: number): boolean {
  const gains = taskMeans(known, candidate, tasks, count).map((row) => row.gain);
  return gains.length > 1 && tInterval(gains)[0] > 0;
}

/** The gain over task means, its interval and its p, and what they allow to say. */
export function judge(means: readonly TaskMeans[]): Pick<Result, 'gain' | 'near' | 'far' | 'verdict'> {
  if (means.length === 0) return { gain: null, near: null, far: null, verdict: 'no sealed tasks' };
  const gains = means.map((row) => row.gain);
  const gain = { mean: mean(gains), ci95: tInterval(gains), p: signFlip(gains) };
  const told = gain.p < ALPHA ? (gain.mean > 0 ? 'better' : 'worse') : 'cannot tell apart';
  return { gain, near: part(means, 'near'), far: part(means, 'far'), verdict: told };
}

/** Mean over the values, null for none. */
export function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

function part(means: readonly TaskMeans[], distance: 'near' | 'far'): Result['near'] {
  const rows = means.filter((row) => row.task.distance === distance);
  if (rows.length === 0) return null;
  const of = (key: 'baseline' | 'champion' | 'gain') => mean(rows.map((row) => row[key]));
  return { baseline: of('baseline'), champion: of('champion'), gain: of('gain'), tasks: rows.length };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
