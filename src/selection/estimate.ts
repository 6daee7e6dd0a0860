import type { Estimate } from '../event.ts';

/** Trials that the prior is worth. */
export const PRIOR_WEIGHT = 3;
/** How much of a parent's estimate a child may expect to keep. */
const INHERITED = 0.8;
/** What a single difference usually deviates by, and how many trials that belief is worth. */
const USUAL_SD = 0.3;
const USUAL_WEIGHT = 4;

/** What is known of the baseline, which all differences are to in the end. */
const BASELINE = { shrunk: 0, error: 0 };

/** One task at one repeat, where candidate and reference both have a score. */
export type Pair = { difference: number; score: number };

/**
 * What a candidate is expected to gain before it was ever measured: 0.8 × the mean of its parents' shrunk
 * estimates, 0 without parents. Written off as parents themselves regress, since it is asked again at each barrier.
 */
export function priorMean(parents: readonly (Estimate | undefined)[]): number {
  if (parents.length === 0) return 0;
  return (INHERITED * parents.reduce((sum, parent) => sum + (parent?.shrunk ?? 0), 0)) / parents.length;
}

/**
 * The estimate after one more block. `pairs` stand in task order, so that the sums are the same for any order in
 * which trials ended; `full` says whether all search tasks were asked for. The mean is shrunk as a normal mean
 * with a normal prior is: towards `prior` with the weight of three trials. The error is the posterior's, with the
 * variance of a difference pooled from the data and the usual 0.3². Where the pairs are with another reference than the
 * baseline, `ground` is what is believed of that, and pairs and `prior` are differences to it.
 */
export function updateEstimate(
  before: Estimate | undefined,
  pairs: readonly Pair[],
  prior: number,
  full: boolean,
  ground: Pick<Estimate, 'shrunk' | 'error'> = BASELINE,
): Estimate {
  const old = before ?? { n: 0, sum: 0, squares: 0, score: 0, repeats: 0 };
  const n = old.n + pairs.length;
  const sum = pairs.reduce((total, pair) => total + pair.difference, old.sum);
  const squares = pairs.reduce((total, pair) => total + pair.difference ** 2, old.squares);
  const score = n === 0 ? 0 : pairs.reduce((total, pair) => total + pair.score, old.score * old.n) / n;
  const spread = n === 0 ? 0 : Math.max(0, squares - sum ** 2 / n);
  const variance = (USUAL_WEIGHT * USUAL_SD ** 2 + spread) / (USUAL_WEIGHT + Math.max(0, n - 1));
  return {
    n,
    sum,
    squares,
    score,
    repeats: old.repeats + (full ? 1 : 0),
    shrunk: ground.shrunk + (PRIOR_WEIGHT * prior + sum) / (PRIOR_WEIGHT + n),
    error: Math.hypot(ground.error, Math.sqrt(variance / (PRIOR_WEIGHT + n))),
  };
}
