/** Draws that several generators share; each takes an `Rng` of src/rng.ts. */

/** Uniform in [low, high). */
export function uniform(rng, low, high) {
  return low + (high - low) * rng.next();
}

/** Normal with a mean and a standard deviation. */
export function normal(rng, mean = 0, sd = 1) {
  return mean + sd * rng.normal();
}

/** True with probability `p`. */
export function chance(rng, p) {
  return rng.next() < p;
}

/** An index drawn in proportion to `weights`. */
export function weighted(rng, weights) {
  let u = rng.next() * weights.reduce((a, b) => a + b, 0);
  for (let i = 0; i < weights.length; i++) {
    u -= weights[i];
    if (u < 0) return i;
  }
  return weights.length - 1;
}

/** A Poisson count (Knuth's product for small means, the rounded normal above 30). */
export function poisson(rng, mean) {
  if (mean > 30) return Math.max(0, Math.round(normal(rng, mean, Math.sqrt(mean))));
  const floor = Math.exp(-mean);
  let count = 0;
  for (let p = rng.next(); p > floor; p *= rng.next()) count++;
  return count;
}

/** One random effect a name, normal with standard deviation `sd`. */
export function effects(rng, names, sd) {
  return Object.fromEntries(names.map((name) => [name, normal(rng, 0, sd)]));
}

/** The logistic function. */
export function logistic(x) {
  return 1 / (1 + Math.exp(-x));
}

/** `n` records made by `make(i)`, turned into columns (cells as strings), in the order of the record's keys. */
export function table(n, make) {
  const records = Array.from({ length: n }, (_, i) => make(i));
  return Object.fromEntries(
    Object.keys(records[0]).map((name) => [name, records.map((record) => String(record[name]))]),
  );
}
