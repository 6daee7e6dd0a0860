/**
 * One-sided exact upper bound of a share of which `hits` in `n` were seen (Clopper and Pearson 1934): the largest p at
 * which so few hits or fewer still have a chance of `1 − level`. In [0, 1].
 */
export function upperBound(hits: number, n: number, level = 0.95): number {
  if (hits >= n) return 1;
  let [low, high] = [hits / n, 1];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (atMost(hits, n, middle) > 1 - level) low = middle;
    else high = middle;
  }
  return high;
}

/** Two-sided exact interval of that share at `level`: each end is a one-sided bound at half the error. */
export function shareInterval(hits: number, n: number, level = 0.95): [number, number] {
  const side = (1 + level) / 2;
  return [1 - upperBound(n - hits, n, side), upperBound(hits, n, side)];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** Standard deviation of a sample; 0 of fewer than two. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
}

/** `+1.6`: a score difference in points. */
export function points(x: number): string {
  return `${x < 0 ? '−' : '+'}${Math.abs(100 * x).toFixed(1)}`;
}

/** `−3.8 to +0.6` */
export function range([low, high]: readonly [number, number]): string {
  return `${points(low)} to ${points(high)}`;
}

/** `96.1% (95.0 to 97.0)`: a share with its exact 95% interval; `none` of nothing. */
export function share(hits: number, n: number): string {
  if (n === 0) return 'none';
  const [low, high] = shareInterval(hits, n);
  return `${(100 * (hits / n)).toFixed(1)}% (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}) of ${n}`;
}

/** P(X ≤ hits) of a binomial with 0 < p < 1, term by term in logarithms. */
function atMost(hits: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let k = 1; k <= hits; k++) {
    log += Math.log((n - k + 1) / k) + Math.log(p) - Math.log1p(-p);
    sum += Math.exp(log);
  }
  return sum;
}
