import { tInterval } from './interval.ts';

/** The variance of one observation of a task, in parts: between the tasks' true means, and noise within a task. */
export type Parts = { between: number; noise: number };

/**
 * The mean over task means, and its 95% interval clustered by task: `groups` holds the observations of each task, and
 * those of one task are not independent of each other, so that tasks count and not observations (Miller, Adding error
 * bars to evals, arXiv 2411.00640, §2.2; with the same weight for every task, and Student's t since tasks are few). Tasks
 * without an observation are left out; no task at all gives null and [−1, 1].
 */
export function clusteredInterval(groups: readonly (readonly number[])[]): {
  mean: number | null;
  ci95: [number, number];
} {
  const means = observed(groups).map(average);
  return { mean: means.length === 0 ? null : average(means), ci95: tInterval(means) };
}

/**
 * What the spread of task means comes from, by the moments of a one-way random-effects model (Searle, Casella and
 * McCulloch, Variance Components, 1992, §3.6): `noise` is the pooled variance within tasks, and `between` what the
 * variance of task means has above noise / repeats, at least 0. Both are variances. Where no task was observed twice
 * they cannot be told apart, and all counts as `between`: a forecast then promises nothing from further repeats. Null
 * with fewer than two tasks.
 */
export function varianceParts(groups: readonly (readonly number[])[]): Parts | null {
  const tasks = observed(groups);
  if (tasks.length < 2) return null;
  const means = tasks.map(average);
  const ofMeans = squares(means) / (means.length - 1);
  const freedom = tasks.reduce((sum, task) => sum + task.length - 1, 0);
  if (freedom === 0) return { between: ofMeans, noise: 0 };
  const noise = tasks.reduce((sum, task) => sum + squares(task), 0) / freedom;
  const share = average(tasks.map((task) => 1 / task.length));
  return { between: Math.max(0, ofMeans - noise * share), noise };
}

/** The standard deviation of task means that is to be expected with another number of repeats (≥ 1) of each task. */
export function clusteredSd(parts: Parts, repeats: number): number {
  return Math.sqrt(parts.between + parts.noise / repeats);
}

function observed(groups: readonly (readonly number[])[]): (readonly number[])[] {
  return groups.filter((group) => group.length > 0);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}

/** The sum of squared distances to the mean. */
function squares(values: readonly number[]): number {
  const mean = average(values);
  return values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
}
