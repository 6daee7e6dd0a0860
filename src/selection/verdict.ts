import type { Power, Result, SealedPart } from '../event.ts';
import { tInterval } from '../statistics/interval.ts';
import { detectable, signFlipPower } from '../statistics/power.ts';
import { signFlip } from '../statistics/sign-flip.ts';
import type { Task } from '../suite/suite.ts';
import { mean } from './task-means.ts';

/** Two-sided level of the verdict; as much again is spent on the claims of a run. */
export const VERDICT_ALPHA = 0.025;
/** With fewer sealed tasks the exact test cannot go under the level. */
export const LEAST_SEALED = Math.ceil(Math.log2(2 / VERDICT_ALPHA));
/** How often a gain that is called detectable is found. */
export const USUAL_POWER = 0.8;

/** Mean scores on one task, in [0, 1], and champion − baseline. */
type Judged = { task: Pick<Task, 'distance'>; baseline: number; champion: number; gain: number };

/** The gain over task means, its interval and its p, what they allow to say, and what could have been seen. */
export function judge(means: readonly Judged[]): Pick<Result, 'gain' | 'near' | 'far' | 'verdict' | 'power'> {
  if (means.length === 0)
    return { gain: null, near: null, far: null, verdict: 'no sealed tasks', power: null };
  const gains = means.map((row) => row.gain);
  const gain = { mean: mean(gains), ci95: intervalOf(gains), p: signFlip(gains) };
  const told = gain.p < VERDICT_ALPHA ? (gain.mean > 0 ? 'better' : 'worse') : 'cannot tell apart';
  const power = powerFor(gains.length, deviation(gains));
  return { gain, near: part(means, 'near'), far: part(means, 'far'), verdict: told, power };
}

/**
 * How often the verdict finds a gain of 5, 10 and 20 points over so many sealed tasks, when the gains of tasks deviate by
 * `sd`, and the least gain that it finds in four of five cases; null where none in [0, 1] is found so often.
 */
export function powerFor(tasks: number, sd: number): Power {
  const of = (effect: number) => signFlipPower({ effect, sd, tasks, alpha: VERDICT_ALPHA });
  const least = detectable({ sd, tasks, alpha: VERDICT_ALPHA, power: USUAL_POWER });
  return { sd, at5: of(0.05), at10: of(0.1), at20: of(0.2), detectable: least };
}

/** The least p that the exact two-sided sign-flip test over so many tasks can give, in (0, 1]. */
export function leastP(tasks: number): number {
  return Math.min(1, 2 / 2 ** tasks);
}

function part(means: readonly Judged[], distance: 'near' | 'far'): SealedPart | null {
  const rows = means.filter((row) => row.task.distance === distance);
  if (rows.length === 0) return null;
  const of = (key: 'baseline' | 'champion' | 'gain') => mean(rows.map((row) => row[key]));
  return {
    baseline: of('baseline'),
    champion: of('champion'),
    gain: of('gain'),
    ci95: intervalOf(rows.map((row) => row.gain)),
    tasks: rows.length,
  };
}

/** Of a mean difference of scores, which is in [−1, 1]: what lies beyond is impossible, and covers nothing. */
function intervalOf(gains: readonly number[]): [number, number] {
  const [low, high] = tInterval(gains);
  return [Math.max(-1, low), Math.min(1, high)];
}

function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
}
