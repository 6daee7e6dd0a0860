// read: CSV tables, and small helpers that the other files share
import { readFileSync } from 'node:fs';

/** data/<name>.csv as { n, columns }: one list of cells (text) a column. */
export function read(name) {
  const [header, ...rows] = parse(readFileSync(`data/${name}.csv`, 'utf8'));
  return {
    n: rows.length,
    columns: Object.fromEntries(header.map((title, j) => [title, rows.map((row) => row[j] ?? '')])),
  };
}

/** The rows i of a table for which keep(i) holds. */
export function pick(table, keep) {
  const columns = Object.entries(table.columns).map(([name, cells]) => [
    name,
    cells.filter((_, i) => keep(i)),
  ]);
  return { n: columns[0][1].length, columns: Object.fromEntries(columns) };
}

/** A cell as CSV wants it (RFC 4180). */
export const quote = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Are all cells of a column numbers or missing, and is at least one there? */
export const isNumeric = (cells) =>
  cells.some((cell) => cell !== '') && cells.every((cell) => Number.isFinite(Number(cell)));

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
  rows.forEach((row, i) => {
    for (let j = 0; j < Math.min(width, row.length); j++) out[i * width + j] = row[j];
  });
  return out;
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

function parse(text) {
  const lines = text.replaceAll('\r\n', '\n').replace(/\n$/, '');
  if (!lines.includes('"')) return lines.split('\n').map((line) => line.split(','));
  const rows = [[]];
  for (const [, quoted, plain, end] of `${lines}\n`.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  return rows.slice(0, -1);
}
