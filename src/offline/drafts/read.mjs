// read: CSV tables, and small helpers that the other files share
import { readFileSync } from 'node:fs';

/** data/<name>.csv as { n, columns }: one list of cells (text) a column. */
export function read(name) {
  const text = readFileSync(`data/${name}.csv`, 'utf8').replaceAll('\r\n', '\n').replace(/\n$/, '');
  const [header, ...lines] = records(text);
  const titles = cellsOf(header);
  const columns = titles.map(() => new Array(lines.length));
  lines.forEach((line, i) => {
    const cells = cellsOf(line);
    for (let j = 0; j < titles.length; j++) columns[j][i] = cells[j] ?? '';
  });
  return { n: lines.length, columns: Object.fromEntries(titles.map((title, j) => [title, columns[j]])) };
}

/** The rows i of a table for which keep(i) holds. */
export function pick(table, keep) {
  const rows = Array.from({ length: table.n }, (_, i) => i).filter(keep);
  const columns = Object.entries(table.columns).map(([name, cells]) => [name, rows.map((i) => cells[i])]);
  return { n: rows.length, columns: Object.fromEntries(columns) };
}

/** A cell as CSV wants it (RFC 4180). */
export const quote = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Is a column one of numbers, as far as its first fifty cells that are not missing tell? */
export function isNumeric(cells) {
  const known = cells.filter((cell) => cell !== '').slice(0, 50);
  return known.length > 0 && known.every((cell) => !Number.isNaN(Number(cell)));
}

/** The distinct values, most frequent first (ties by name), at most `most` of them. */
export function levels(cells, most) {
  const counts = new Map();
  for (const cell of cells) counts.set(cell, (counts.get(cell) ?? 0) + 1);
  const order = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return order.slice(0, most).map(([value]) => value);
}

/** Rows to columns and back. */
export const transpose = (rows) => rows[0].map((_, j) => rows.map((row) => row[j]));

/** Rows as one flat array, `width` numbers a row; what a row lacks is 0. */
export function flat(rows, width) {
  const out = new Float64Array(rows.length * width);
  for (let i = 0; i < rows.length; i++)
    out.set(rows[i].length > width ? rows[i].slice(0, width) : rows[i], i * width);
  return out;
}

/** Sum of a[at + i] × b[bt + i] over n places. */
export function dot(a, at, b, bt, n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[at + i] * b[bt + i];
  return sum;
}

/** Adds factor × b[bt + i] to a[at + i] at n places. */
export function add(a, at, b, bt, n, factor) {
  for (let i = 0; i < n; i++) a[at + i] += factor * b[bt + i];
}

/** Scores clipped to be positive and made to sum to 1. */
export function shares(scores) {
  const clipped = scores.map((score) => Math.max(score, 0.01));
  const total = clipped.reduce((a, b) => a + b, 0);
  return clipped.map((score) => score / total);
}

/** Uniform numbers in [0, 1), always the same ones for a seed. */
export function lcg(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Lines, but not where a quoted cell goes over several. */
const records = (text) => (text.includes('"') ? text.match(/(?:"[^"]*"|[^"\n])+/g) : text.split('\n'));

function cellsOf(line) {
  if (!line.includes('"')) return line.split(',');
  const cells = [...`,${line}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^,]*))/g)];
  return cells.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}
