/** A new candidate after its first tasks: what it was expected to gain, and its differences to the baseline. */
export type Entry = { id: string; prior: number; differences: readonly number[] };

/** An incumbent: what is believed of it, and its differences on the same tasks and repeat. */
export type Pace = { believed: number; differences: readonly number[] };

/** `behind` is how far below the level the entry is believed to be, `error` the standard error of that. */
export type Standing = { id: string; behind: number; error: number; dropped: boolean };

/** Trials that the prior is worth, as in the estimates. */
const PRIOR_WEIGHT = 3;
/** Standard deviation of one difference to the baseline. */
const USUAL_SD = 0.3;
/** Standard errors behind the level that count as clearly behind. */
const CLEARLY = 0.25;

/**
 * Who is clearly behind after the first tasks, and is not measured further. The level to reach is the least that
 * is believed of an incumbent. A few trials say little of a candidate and much of the luck of these tasks on this
 * repeat, which all share; so what the incumbents got here, less what is believed of them, is taken off first.
 * The rest is shrunk towards the prior with the weight of three trials. An entry is dropped when it is more than
 * a quarter of a standard error behind the level, and beyond the `places` best in any case: that bounds what a
 * generation costs. An entry without data is not behind. Answers in the order of `entries`.
 */
export function race(entries: readonly Entry[], paces: readonly Pace[], places: number): Standing[] {
  const seen = paces.filter((pace) => pace.differences.length > 0);
  const luck = mean(seen.map((pace) => mean(pace.differences) - pace.believed));
  const level = seen.length === 0 ? 0 : Math.min(...seen.map((pace) => pace.believed));
  const standings = entries.map(({ id, prior, differences }) => {
    const n = differences.length;
    const sum = differences.reduce((total, x) => total + x - luck, 0);
    const behind = n === 0 ? 0 : level - (PRIOR_WEIGHT * prior + sum) / (PRIOR_WEIGHT + n);
    return { id, behind, error: USUAL_SD / Math.sqrt(PRIOR_WEIGHT + n) };
  });
  const order = standings
    .map((_, i) => i)
    .sort((a, b) => standings[a]!.behind - standings[b]!.behind || a - b);
  const admitted = new Set(order.slice(0, places));
  return standings.map((standing, i) => ({
    ...standing,
    dropped: !admitted.has(i) || standing.behind > CLEARLY * standing.error,
  }));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, x) => sum + x, 0) / values.length;
}
