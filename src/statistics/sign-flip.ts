import { rngAt } from '../rng.ts';

const EXACT_UP_TO = 20;
const DRAWS = 100_000;

/**
 * Two-sided sign-flip test of paired differences: the share of all 2ⁿ ways to sign them whose sum is at least as
 * far from 0 as the sum observed (Fisher 1935, The Design of Experiments, §21). Exact for n ≤ 20, its least value
 * then 2/2ⁿ; above that, 100,000 draws from a fixed seed, (1 + hits) / (1 + draws). An empty list gives 1.
 */
export function signFlip(differences: readonly number[]): number {
  const observed = Math.abs(differences.reduce((sum, x) => sum + x, 0));
  // Sums that differ by rounding alone count as equal.
  const least = observed - 1e-12 * (1 + differences.reduce((sum, x) => sum + Math.abs(x), 0));
  return differences.length <= EXACT_UP_TO ? exact(differences, least) : sampled(differences, least);
}

/** Walks the sign patterns in Gray code, one flip a step. */
function exact(differences: readonly number[], least: number): number {
  const patterns = 2 ** differences.length;
  const signed = [...differences];
  let sum = signed.reduce((total, x) => total + x, 0);
  let hits = 0;
  for (let i = 1; i <= patterns; i++) {
    if (Math.abs(sum) >= least) hits++;
    const flip = 31 - Math.clz32(i & -i);
    if (flip >= signed.length) break;
    const x = signed[flip]!;
    sum -= 2 * x;
    signed[flip] = -x;
  }
  return hits / patterns;
}

function sampled(differences: readonly number[], least: number): number {
  const rng = rngAt('sign-flip', differences.length);
  let hits = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    let sum = 0;
    for (const x of differences) sum += rng.next() < 0.5 ? x : -x;
    if (Math.abs(sum) >= least) hits++;
  }
  return (1 + hits) / (1 + DRAWS);
}
