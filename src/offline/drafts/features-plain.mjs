// features: plain numeric columns
import { isNumeric } from './read.mjs';

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const number = (cell) => (cell === '' ? Number.NaN : Number(cell));

/** Throws if the training table has no target. */
export function check(train) {
  if (train.columns['TARGET_COLUMN'].length !== train.n) throw new Error('not one target a row');
}

/** Mean and spread of each numeric column, from these rows only. Where none is numeric, the lengths of texts stand in. */
export function prepare(train) {
  const names = Object.keys(train.columns).filter((name) => name !== 'ID_COLUMN' && name !== 'TARGET_COLUMN');
  const numeric = names.filter((name) => isNumeric(train.columns[name]));
  const value = numeric.length > 0 ? number : (cell) => cell.length;
  const columns = (numeric.length > 0 ? numeric : names).map((name) => {
    const known = train.columns[name].map(value).filter((x) => Number.isFinite(x));
    const centre = mean(known);
    const spread = Math.sqrt(mean(known.map((x) => (x - centre) ** 2)));
    return { name, centre, spread: spread > 1e-9 ? spread : 1 };
  });
  return { columns, value };
}

/** Standardised rows; a missing cell counts as the mean. */
export function apply({ columns, value }, table) {
  const rows = Array.from({ length: table.n }, () => []);
  for (const { name, centre, spread } of columns) {
    const cells = table.columns[name];
    for (let i = 0; i < table.n; i++) {
      const x = value(cells[i]);
      rows[i].push(Number.isFinite(x) ? (x - centre) / spread : 0);
    }
  }
  return rows;
}
