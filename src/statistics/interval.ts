/**
 * The 95% confidence interval of a mean by Student's t, over values that are independent of each other (task
 * means, never single trials: Miller, arXiv 2411.00640). Fewer than two values tell nothing: [−1, 1], the range
 * of a difference of scores.
 */
export function tInterval(values: readonly number[]): [number, number] {
  const n = values.length;
  if (n < 2) return [-1, 1];
  const mean = values.reduce((sum, x) => sum + x, 0) / n;
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const half = tQuantile(0.975, n - 1) * Math.sqrt(variance / n);
  return [mean - half, mean + half];
}

/** The quantile of Student's t with `df` (a whole number ≥ 1) for p in (0.5, 1), to 1e-9, by bisection. */
export function tQuantile(p: number, df: number): number {
  let low = 0;
  let high = 1;
  while (tProbability(high, df) < p) high *= 2;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (tProbability(middle, df) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** P(T ≤ t) for t ≥ 0, as a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4). */
function tProbability(t: number, df: number): number {
  const theta = Math.atan(t / Math.sqrt(df));
  const cosine = Math.cos(theta);
  const odd = df % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = df === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k <= df - 2; k += 2) {
    term *= ((k - 1) / k) * cosine ** 2;
    sum += term;
  }
  const between = odd ? (2 / Math.PI) * (theta + Math.sin(theta) * sum) : Math.sin(theta) * sum;
  return 0.5 + between / 2;
}
