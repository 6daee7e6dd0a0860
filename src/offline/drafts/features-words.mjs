// features: counts of the 60 most frequent words
import { isNumeric, levels, transpose } from './read.mjs';

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const number = (cell) => (cell === '' ? Number.NaN : Number(cell));
const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];

/** Throws if the training table has no target. */
export function check(train) {
  if (train.columns['TARGET_COLUMN'].length !== train.n) throw new Error('not one target a row');
}

/** The vocabulary, from these rows only. Numeric columns come along as they are. */
export function prepare(train) {
  const names = Object.keys(train.columns).filter((name) => name !== 'ID_COLUMN' && name !== 'TARGET_COLUMN');
  const numeric = names.filter((name) => isNumeric(train.columns[name]));
  const texts = names.filter((name) => !numeric.includes(name));
  const vocabulary = levels(
    texts.flatMap((name) => train.columns[name].flatMap(words)),
    60,
  );
  const fitted = { numeric, texts, place: new Map(vocabulary.map((word, j) => [word, j])) };
  const columns = transpose(count(fitted, train)).map((column) => column.filter((x) => Number.isFinite(x)));
  fitted.centre = columns.map(mean);
  fitted.spread = columns.map((column, j) => Math.sqrt(mean(column.map((x) => (x - fitted.centre[j]) ** 2))));
  return fitted;
}

/** Standardised rows: counts on a log scale, the number of words, then the numeric columns. */
export function apply(fitted, table) {
  return count(fitted, table).map((row) =>
    row.map((x, j) =>
      Number.isFinite(x) && fitted.spread[j] > 1e-9 ? (x - fitted.centre[j]) / fitted.spread[j] : 0,
    ),
  );
}

function count({ numeric, texts, place }, table) {
  return Array.from({ length: table.n }, (_, i) => {
    const counts = new Array(place.size + 1).fill(0);
    for (const word of texts.flatMap((name) => words(table.columns[name][i]))) {
      counts[place.size]++;
      if (place.has(word)) counts[place.get(word)]++;
    }
    return [...counts.map(Math.log1p), ...numeric.map((name) => number(table.columns[name][i]))];
  });
}
