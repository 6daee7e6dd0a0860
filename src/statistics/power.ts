import { rngAt } from '../rng.ts';
import { tQuantile } from './interval.ts';

/** Up to here the test is simulated as it is, over all sign patterns; above, by Student's t. */
const EXACT_UP_TO = 11;
const DRAWS = { exact: 2000, byT: 10_000 };

/** `sd` is the standard deviation of the task means of differences, `alpha` the level of the two-sided test. */
export type Design = { sd: number; tasks: number; alpha: number };

/**
 * The power of the exact two-sided sign-flip test over `tasks` task-mean differences that are normal with mean `effect`
 * (≥ 0) and `sd`: how often p < alpha, and the sum on the side of the effect. By draws from a fixed seed, the same ones
 * for every effect, so it never falls as the effect grows. Up to 11 tasks 2,000 draws of the exact test (standard error
 * at most 0.011); above, 10,000 of Student's t (0.005), which the test comes to with many tasks (Hoeffding 1952): from 12
 * tasks on the powers differ by less than 0.02. 0 when 2 / 2ⁿ ≥ alpha, the least p there is.
 */
export function signFlipPower({ effect, ...design }: Design & { effect: number }): number {
  const limits = leastEffects(design.tasks, design.alpha);
  if (limits.length === 0) return 0;
  return limits.filter((limit) => effect > limit * design.sd).length / limits.length;
}

/** The least effect in (0, 1] that the test shows with that power (in (0, 1)); null when there is none. */
export function detectable({ power, ...design }: Design & { power: number }): number | null {
  const limits = [...leastEffects(design.tasks, design.alpha)].sort((a, b) => a - b);
  const limit = limits[Math.ceil(power * limits.length) - 1];
  if (limit === undefined) return null;
  // An effect has to be above the limit.
  const least = Math.max(limit * design.sd, 0) + 1e-9;
  return least <= 1 ? least : null;
}

/**
 * For each draw of standard normal task means, the shift, in standard deviations, above which the test shows it; none
 * where the test never can.
 */
function leastEffects(tasks: number, alpha: number): readonly number[] {
  const key = `${tasks} ${alpha}`;
  const known = LIMITS.get(key) ?? drawEffects(tasks, alpha);
  LIMITS.set(key, known);
  return known;
}

/** By number of tasks and level: they do not depend on effect or spread, and a program meets few of either. */
const LIMITS = new Map<string, readonly number[]>();

function drawEffects(tasks: number, alpha: number): readonly number[] {
  if (2 / 2 ** tasks >= alpha) return [];
  const rng = rngAt('power', tasks);
  return tasks <= EXACT_UP_TO
    ? Array.from({ length: DRAWS.exact }, exactly(tasks, alpha, rng.normal))
    : Array.from({ length: DRAWS.byT }, byT(tasks, alpha, rng.normal));
}

/**
 * The shift e of x₁ … xₙ from which p < alpha. A sign pattern that flips the subset F gives a sum as large as the one
 * observed if and only if the sum of the shifted values over F is ≤ 0, that is mean of F ≤ −e; with the mirrored
 * patterns, p = 2 #{F} / 2ⁿ, the empty F included. So p < alpha while fewer than `allowed` + 1 other subsets have a
 * mean ≤ −e: the limit is minus an order statistic of subset means.
 */
function exactly(tasks: number, alpha: number, normal: () => number): () => number {
  const patterns = 2 ** tasks;
  const allowed = Math.ceil((alpha * patterns) / 2) - 2;
  const sums = new Float64Array(patterns);
  const sizes = new Uint8Array(patterns);
  const least = new Float64Array(allowed + 1);
  return () => {
    for (let task = 0; task < tasks; task++) {
      const x = normal();
      const half = 1 << task;
      for (let i = 0; i < half; i++) {
        sums[half + i] = sums[i]! + x;
        sizes[half + i] = sizes[i]! + 1;
      }
    }
    least.fill(Number.POSITIVE_INFINITY);
    for (let i = 1; i < patterns; i++) keep(least, sums[i]! / sizes[i]!);
    return -least[allowed]!;
  };
}

/** Puts a value in its place among the least so far, in rising order, and lets the greatest fall out. */
function keep(least: Float64Array, value: number): void {
  let at = least.length - 1;
  if (value >= least[at]!) return;
  while (at > 0 && least[at - 1]! > value) {
    least[at] = least[at - 1]!;
    at--;
  }
  least[at] = value;
}

/**
 * The shift at which Student's t reaches its critical value. Mean and variance of n normals are drawn without the
 * values: the variance as χ² / df by Wilson and Hilferty (1931), which is close from 10 degrees of freedom on.
 */
function byT(tasks: number, alpha: number, normal: () => number): () => number {
  const df = tasks - 1;
  const critical = tQuantile(1 - alpha / 2, df);
  const width = 2 / (9 * df);
  return () => {
    const sd = Math.max(0, 1 - width + Math.sqrt(width) * normal()) ** 1.5;
    return (critical * sd - normal()) / Math.sqrt(tasks);
  };
}
