import type { Leaderboard } from './leaderboard.ts';
import type { Medal } from './suite.ts';

/** Positions (the best is 1) whose scores are the thresholds, for a leaderboard of n rows (MLE-bench). */
export function medalPositions(n: number): { gold: number; silver: number; bronze: number } {
  if (n < 1) throw new Error('an empty leaderboard has no medals');
  const share = (part: number) => Math.max(1, Math.trunc(n * part));
  if (n < 100) return { gold: share(0.1), silver: share(0.2), bronze: share(0.4) };
  if (n < 250) return { gold: 10, silver: share(0.2), bronze: share(0.4) };
  const gold = 10 + Math.trunc(n * 0.002);
  if (n < 1000) return { gold, silver: 50, bronze: 100 };
  return { gold, silver: share(0.05), bronze: share(0.1) };
}

/** The scores that win each medal, and the median, unrounded. */
export function medalThresholds({ scores }: Leaderboard): {
  gold: number;
  silver: number;
  bronze: number;
  median: number;
} {
  const at = medalPositions(scores.length);
  const sorted = [...scores].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return {
    gold: scores[at.gold - 1]!,
    silver: scores[at.silver - 1]!,
    bronze: scores[at.bronze - 1]!,
    median: (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2,
  };
}

/**
 * The medal of a raw score by MLE-bench's rule: the score, not the leaderboard, is rounded to 5 decimals; a tie
 * with a threshold wins; above the median is strict.
 */
export function medalOf(leaderboard: Leaderboard, raw: number): { medal: Medal; aboveMedian: boolean } {
  const score = roundLikePython(raw);
  const thresholds = medalThresholds(leaderboard);
  const lower = leaderboard.direction === 'min';
  const reaches = (threshold: number) => (lower ? score <= threshold : score >= threshold);
  const medal = (['gold', 'silver', 'bronze'] as const).find((kind) => reaches(thresholds[kind])) ?? 'none';
  return { medal, aboveMedian: lower ? score < thresholds.median : score > thresholds.median };
}

/**
 * `round(x, 5)` as Python does it: the nearest decimal to the binary value, exact ties to the even digit.
 * `toFixed` is exact too but takes ties away from zero. A tie is an odd multiple of 1/200000 = 1/(2⁶ · 5⁵), and
 * of these only the odd multiples of 1/64 are binary fractions.
 */
export function roundLikePython(x: number): number {
  if (Math.abs(x) >= 1e15) return x;
  if (Math.abs(x * 64) % 2 !== 1) return Number(x.toFixed(5));
  const below = Math.floor(x * 1e5);
  return (below % 2 === 0 ? below : below + 1) / 1e5;
}
