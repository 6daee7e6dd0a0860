/**
 * What is staked, in equal parts: shares λ of the capital, in (0, 1), denser towards 1. The best share is about gain ÷
 * (gain² + variance), and the mean over several tasks varies so little that it is mostly near 1.
 */
const STAKES = Array.from({ length: 20 }, (_, i) => 1 - ((i + 0.5) / 20) ** 2);
/** So many factors are multiplied before a logarithm is taken; none is near over- or underflow. */
const CHUNK = 8;
const CLOSE = 1e-9;

/**
 * The e-process against «the mean is at most 0», its value after each of `xs`, all in [−1, 1]: the capital of a player
 * who starts with 1 and stakes equal parts at the shares λ of a fixed grid in (0, 1), E_t = mean over λ of
 * Π (1 + λ xᵢ) (Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, JRSS B 2024, §4).
 * While each x has a mean ≤ 0 given those before it, P(E ever reaches 1 / α) ≤ α (Ville), so one may look after each x
 * and stop whenever one likes. Above the largest number the value is that number, which is finite and the safe side.
 * Throws when a value is not in [−1, 1].
 */
export function eProcess(xs: readonly number[]): number[] {
  check(xs);
  const logs = STAKES.map(() => 0);
  return xs.map((x) => {
    for (let j = 0; j < logs.length; j++) logs[j]! += Math.log1p(STAKES[j]! * x);
    return Math.min(Math.exp(logMean(logs)), Number.MAX_VALUE);
  });
}

/**
 * An interval for the mean of `xs`, in [−1, 1], that holds at all times at once: when every x has the same mean given
 * those before it, the chance that the interval of any prefix misses it is at most alpha (ibid., §4.4: the hedged
 * capital). For each candidate mean m two players start with ½, one stakes λ / (1 + m) on x > m, the other
 * λ / (1 − m) on x < m; the interval is where they have together less than 1 / alpha.
 *
 * - It is one interval, and the mean of `xs` lies inside: the factors 1 − λ + λ (1 + x) / (1 + m) and
 *   1 − λ + λ (1 − x) / (1 − m) are positive, monotone and convex in m, so are their products, and the sum is convex;
 *   at m = mean both products are at most 1, since their factors have mean 1. So both ends are found by bisection.
 * - It is taken at the end only, not cut with those of earlier prefixes: with probability 1 − alpha all of them hold,
 *   hence also the one at which one stopped, for whatever reason. The cut would be a little shorter and might be empty.
 *
 * Ends are rounded outwards, by at most 1e-9. No value gives [−1, 1]. Throws when a value is not in [−1, 1], or alpha
 * not in (0, 1).
 */
export function confidenceSequence(xs: readonly number[], alpha: number): [number, number] {
  check(xs);
  if (!(alpha > 0 && alpha < 1)) throw new Error(`alpha ${alpha} is not in (0, 1)`);
  if (xs.length === 0) return [-1, 1];
  const mean = Math.min(1, Math.max(-1, xs.reduce((sum, x) => sum + x, 0) / xs.length));
  const limit = Math.log(1 / alpha);
  const above = xs.map((x) => 1 + x);
  const below = xs.map((x) => 1 - x);
  const end = (outside: number): number => {
    let inside = mean;
    while (Math.abs(outside - inside) > CLOSE) {
      const m = (inside + outside) / 2;
      const logs = [logCapital(above, 1 + m), logCapital(below, 1 - m)];
      if (logMean(logs) < limit) inside = m;
      else outside = m;
    }
    return outside;
  };
  return [end(-1), end(1)];
}

/** The logarithm of the mean over λ of Π (1 − λ + λ xᵢ / mean), for x ≥ 0 and mean > 0. */
function logCapital(xs: readonly number[], mean: number): number {
  return logMean(
    STAKES.map((stake) => {
      const kept = 1 - stake;
      const scale = stake / mean;
      let log = 0;
      let product = 1;
      for (let i = 0; i < xs.length; i++) {
        product *= kept + scale * xs[i]!;
        if (i % CHUNK === CHUNK - 1) {
          log += Math.log(product);
          product = 1;
        }
      }
      return log + Math.log(product);
    }),
  );
}

/** log of the mean of exp(logs), without overflow. */
function logMean(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0) / logs.length);
}

function check(xs: readonly number[]): void {
  const bad = xs.find((x) => !(x >= -1 && x <= 1));
  if (bad !== undefined) throw new Error(`a value to bet on is not in [−1, 1]: ${bad}`);
}
