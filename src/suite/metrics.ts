import type { MetricName } from './suite.ts';

/** Every metric, and which way is better. */
export const METRICS: Record<MetricName, 'max' | 'min'> = {
  accuracy: 'max',
  'macro-f1': 'max',
  'log-loss': 'min',
  'bits-per-byte': 'min',
  'roc-auc': 'max',
  rmse: 'min',
  mae: 'min',
  rmsle: 'min',
  'quadratic-kappa': 'max',
};

/**
 * The value of a metric. `truth` and `predicted` are rows of cells, in the same order of rows and of target
 * columns. Definitions are those of scikit-learn, in the single-column case those of Kaggle's competitions too:
 *
 * - `accuracy`: share of rows equal in every column. Labels are compared as numbers where all true ones are numbers.
 * - `macro-f1`: mean F1 over the classes that occur in truth or prediction; a class without a hit has 0.
 * - `log-loss`: natural logarithm, probabilities clipped to [1e-15, 1 − 1e-15]. One column: truth 0 or 1, and the
 *   probability of 1. Several columns: one a class, truth one-hot, each predicted row divided by its sum first.
 * - `bits-per-byte`: `log-loss` of several columns to the base 2: how many bits an ideal code would take for each row.
 * - `roc-auc`: area under the ROC curve, ties counted half (Mann and Whitney); mean over columns.
 * - `rmse`, `mae`, `rmsle`: mean over columns of each column's error. `rmsle` refuses negative values.
 * - `quadratic-kappa`: Cohen's kappa with squared differences of whole-number ratings as weights; 1 where truth and
 *   prediction are one and the same constant.
 *
 * Throws an `Error` that names the row (the first is 1) for cells that are not numbers where numbers are needed,
 * and where the metric is not defined (no rows, one class only).
 */
export function computeMetric(
  name: MetricName,
  truth: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
): number {
  if (truth.length === 0) throw new Error('no rows');
  if (predicted.length !== truth.length) throw new Error(`${predicted.length} rows, not ${truth.length}`);
  const width = truth[0]!.length;
  for (const rows of [truth, predicted]) {
    rows.forEach((row, i) => {
      if (row.length !== width) throw new Error(`row ${i + 1}: ${row.length} columns, not ${width}`);
    });
  }
  switch (name) {
    case 'accuracy':
      return accuracy(labels(truth, predicted));
    case 'macro-f1':
      return macroF1(labels(truth, predicted));
    case 'log-loss':
      return logLoss(numbers(truth), numbers(predicted));
    case 'bits-per-byte':
      if (truth[0]!.length === 1) throw new Error('one column for each byte is needed');
      return logLoss(numbers(truth), numbers(predicted)) / Math.LN2;
    case 'roc-auc':
      return byColumn(truth, predicted, rocAuc);
    case 'rmse':
      return byColumn(truth, predicted, (t, p) => Math.sqrt(meanOf(t, (y, i) => (y - p[i]!) ** 2)));
    case 'mae':
      return byColumn(truth, predicted, (t, p) => meanOf(t, (y, i) => Math.abs(y - p[i]!)));
    case 'rmsle':
      return byColumn(truth, predicted, rmsle);
    case 'quadratic-kappa':
      return byColumn(truth, predicted, quadraticKappa);
  }
}

type Labels = { truth: string[]; predicted: string[] };

function labels(truth: readonly (readonly string[])[], predicted: readonly (readonly string[])[]): Labels {
  const numeric = truth[0]!.map((_, column) => truth.every((row) => isNumber(row[column]!)));
  const label = (row: readonly string[]) =>
    row.map((cell, column) => (numeric[column] && isNumber(cell) ? Number(cell) : cell)).join('\u0000');
  return { truth: truth.map(label), predicted: predicted.map(label) };
}

function accuracy({ truth, predicted }: Labels): number {
  return meanOf(truth, (label, i) => (label === predicted[i] ? 1 : 0));
}

function macroF1({ truth, predicted }: Labels): number {
  const counts = new Map<string, { hits: number; truth: number; predicted: number }>();
  const count = (label: string) => {
    const known = counts.get(label) ?? { hits: 0, truth: 0, predicted: 0 };
    counts.set(label, known);
    return known;
  };
  truth.forEach((label, i) => {
    count(label).truth++;
    count(predicted[i]!).predicted++;
    if (label === predicted[i]) count(label).hits++;
  });
  return meanOf([...counts.values()], (c) => (2 * c.hits) / (c.truth + c.predicted));
}

function logLoss(truth: number[][], predicted: number[][]): number {
  const clip = (p: number) => Math.min(1 - 1e-15, Math.max(1e-15, p));
  return meanOf(truth, (row, i) => {
    const p = predicted[i]!;
    if (row.length === 1) {
      const y = binary(row[0]!, i);
      return -Math.log(y === 1 ? clip(p[0]!) : 1 - clip(p[0]!));
    }
    const sum = p.reduce((a, b) => a + b, 0);
    // Else two bytes could each have the probability 1, made up for by another's −1.
    if (p.some((value) => value < 0)) throw new Error(`row ${i + 1}: a probability below 0`);
    if (!(sum > 0)) throw new Error(`row ${i + 1}: probabilities sum to ${sum}`);
    return -row.reduce((total, y, column) => total + binary(y, i) * Math.log(clip(p[column]! / sum)), 0);
  });
}

/** U / (positives × negatives), U from the mean ranks of the positives. */
function rocAuc(truth: number[], predicted: number[]): number {
  truth.forEach(binary);
  const order = truth.map((_, i) => i).sort((a, b) => predicted[a]! - predicted[b]!);
  const positives = truth.reduce((a, b) => a + b, 0);
  const negatives = truth.length - positives;
  if (positives === 0 || negatives === 0) throw new Error('only one class in the truth');
  let ranks = 0;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && predicted[order[to]!] === predicted[order[from]!]) to++;
    const meanRank = (from + 1 + to) / 2;
    for (let k = from; k < to; k++) ranks += truth[order[k]!] === 1 ? meanRank : 0;
    from = to;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

function rmsle(truth: number[], predicted: number[]): number {
  for (const values of [truth, predicted]) {
    const at = values.findIndex((value) => value < 0);
    if (at >= 0) throw new Error(`row ${at + 1}: ${values[at]} is negative`);
  }
  return Math.sqrt(meanOf(truth, (y, i) => (Math.log1p(y) - Math.log1p(predicted[i]!)) ** 2));
}

/**
 * 1 − Σ w O / Σ w E with w = (i − j)² (the usual division by (N − 1)² cancels). Σ w O is the sum of squared
 * differences; Σ w E follows from the first two moments of both margins, so no matrix is needed.
 */
function quadraticKappa(truth: number[], predicted: number[]): number {
  for (const values of [truth, predicted]) {
    const at = values.findIndex((value) => !Number.isInteger(value));
    if (at >= 0) throw new Error(`row ${at + 1}: ${values[at]} is not a whole number`);
  }
  // Sums of whole numbers stay exact, so that a constant column is told apart from a nearly constant one.
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const squares = (values: number[]) => values.reduce((a, b) => a + b * b, 0);
  const n = truth.length;
  const observed = n * squares(truth.map((y, i) => y - predicted[i]!));
  const expected = n * squares(truth) + n * squares(predicted) - 2 * sum(truth) * sum(predicted);
  return expected === 0 ? 1 : 1 - observed / expected;
}

function byColumn(
  truth: readonly (readonly string[])[],
  predicted: readonly (readonly string[])[],
  metric: (truth: number[], predicted: number[]) => number,
): number {
  const t = numbers(truth);
  const p = numbers(predicted);
  return meanOf(truth[0]!, (_, column) =>
    metric(
      t.map((row) => row[column]!),
      p.map((row) => row[column]!),
    ),
  );
}

function numbers(rows: readonly (readonly string[])[]): number[][] {
  return rows.map((row, i) =>
    row.map((cell) => {
      if (!isNumber(cell)) throw new Error(`row ${i + 1}: "${cell.slice(0, 40)}" is not a number`);
      return Number(cell);
    }),
  );
}

/** A decimal number as programs write them: no hexadecimal, no infinity, no blanks alone. */
function isNumber(cell: string): boolean {
  return /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell) && Number.isFinite(Number(cell));
}

function binary(value: number, row: number): number {
  if (value !== 0 && value !== 1) throw new Error(`row ${row + 1}: the truth ${value} is neither 0 nor 1`);
  return value;
}

function meanOf<T>(items: readonly T[], value: (item: T, index: number) => number): number {
  return items.reduce((total, item, i) => total + value(item, i), 0) / items.length;
}
