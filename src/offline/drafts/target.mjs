// target: a class label, a probability or a number, as the metric wants it
import { levels } from './read.mjs';

const metric = 'METRIC';
const isProbability = ['log-loss', 'roc-auc'].includes(metric);
const isLabel = ['accuracy', 'macro-f1'].includes(metric);
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** One-hot over the classes, or one standardised column. */
export function encode(train) {
  const cells = train.columns['TARGET_COLUMN'].map((cell) => cell.trim());
  if (isLabel || isProbability) {
    const classes = isProbability ? ['0', '1'] : levels(cells, 20);
    const Y = cells.map((cell) => classes.map((name) => (name === cell ? 1 : 0)));
    return { Y, k: classes.length, classes, base: classes.map((_, c) => mean(Y.map((row) => row[c]))) };
  }
  const values = cells.map(Number);
  const centre = mean(values);
  const spread = Math.sqrt(mean(values.map((value) => (value - centre) ** 2))) || 1;
  const range = [Math.min(...values), Math.max(...values)];
  return {
    Y: values.map((value) => [(value - centre) / spread]),
    k: 1,
    classes: null,
    base: [0],
    centre,
    spread,
    range,
  };
}

/** Scores back to what the submission wants, one text a row. A score that is no number counts as the mean. */
export function decode(target, scores) {
  const safe = scores.map((row) => row.map((score, c) => (Number.isFinite(score) ? score : target.base[c])));
  if (isProbability) return safe.map((row) => Math.min(Math.max(row[1], 0.001), 0.999).toFixed(5));
  if (target.classes) return safe.map((row) => target.classes[row.indexOf(Math.max(...row))]);
  const [low, high] = target.range;
  const values = safe.map(([score]) => Math.min(Math.max(target.centre + target.spread * score, low), high));
  return values.map((value) =>
    metric === 'quadratic-kappa' ? String(Math.round(value)) : value.toPrecision(7),
  );
}
