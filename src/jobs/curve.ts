/** A point of a job's curve, as it printed it: `metric {"name": "val_bpb", "step": 40, "value": 2.41}`. */
export type Metric = { name: string; step: number; value: number };

/** Best values so far, by rising step; at most 32 points. JSON, stands in the journal. */
export type Curve = { step: number; value: number }[];

/** By which metric a task's jobs are compared. */
export type Compared = { metric: string; direction: 'max' | 'min' };

/**
 * When a job is stopped early. `limits` are points by rising step: a best value so far that is worse than the value of
 * the last of them that is not beyond its own step is dominated. `hash` names the curves that this was made from.
 */
export type PruneRule = Compared & { limits: Curve; hash: string };

/** One bad point is no reason to stop: so many in a row are. */
const PATIENCE = 2;
const CURVE_POINTS = 32;

/** Reads a line of a job's output; null where it is no metric line, or one that is not well formed (NaN, no JSON). */
export function readMetric(line: string): Metric | null {
  if (!line.startsWith('metric {')) return null;
  try {
    const { name, step, value } = JSON.parse(line.slice('metric '.length)) as Record<string, unknown>;
    const numbers = Number.isFinite(step) && Number.isFinite(value) && (step as number) >= 0;
    if (typeof name !== 'string' || name.length > 80 || !numbers) return null;
    return { name, step: step as number, value: value as number };
  } catch {
    return null;
  }
}

/**
 * Watches a job under a rule: to be told its metrics in the order printed, it answers whether to stop it now. It says so
 * by what was printed alone, so whoever stops the job must take nothing that came after, nor heed how it ended: else the
 * outcome would depend on how fast the job was stopped.
 */
export function watchCurve(rule: PruneRule): (metric: Metric) => boolean {
  const follow = follower(rule);
  let passed = 0;
  let behind = 0;
  return (metric) => {
    const best = follow(metric);
    if (best === null) return false;
    while (passed < rule.limits.length && rule.limits[passed]!.step <= metric.step) passed++;
    const limit = rule.limits[passed - 1];
    behind = limit !== undefined && isBetter(limit.value, best, rule) ? behind + 1 : 0;
    return behind >= PATIENCE;
  };
}

/** The curve of a job that printed these metrics, null where none of them is the compared one. */
export function curveOf(metrics: readonly Metric[], compared: Compared): Curve | null {
  const follow = follower(compared);
  const curve: Curve = [];
  for (const metric of metrics) {
    const best = follow(metric);
    if (best !== null) curve.push({ step: metric.step, value: best });
  }
  return curve.length === 0 ? null : thinned(curve, CURVE_POINTS);
}

/** At most `most` (above 1) of the items, evenly spaced, the first and the last among them. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]!);
}

/** Is `a` better than `b`? Equal values are not. */
function isBetter(a: number, b: number, { direction }: Compared): boolean {
  return direction === 'max' ? a > b : a < b;
}

/** Gives the best value so far with each point; null for another metric, and for a step that does not go on. */
function follower(compared: Compared): (metric: Metric) => number | null {
  let last = Number.NEGATIVE_INFINITY;
  let best: number | null = null;
  return ({ name, step, value }) => {
    if (name !== compared.metric || step <= last) return null;
    last = step;
    if (best === null || isBetter(value, best, compared)) best = value;
    return best;
  };
}
