/**
 * Reads a CSV text without quoted cells into columns.
 * @param {string} text the first line holds the names
 * @returns {Record<string, string[]>}
 */
export function parseColumns(text) {
  const [header, ...lines] = text.trim().split('\n');
  const names = header.split(',');
  const cells = lines.map((line) => line.split(','));
  return Object.fromEntries(names.map((name, j) => [name, cells.map((row) => row[j])]));
}

/**
 * Writes columns of equal length as CSV (RFC 4180 quoting, line feeds).
 * @param {Record<string, (string | number)[]>} columns
 * @returns {string}
 */
export function formatColumns(columns) {
  const names = Object.keys(columns);
  const n = columns[names[0]].length;
  const lines = [names.map(quote).join(',')];
  for (let i = 0; i < n; i++) lines.push(names.map((name) => quote(String(columns[name][i]))).join(','));
  return `${lines.join('\n')}\n`;
}

/** Rounds to `digits` decimals without trailing zeros; tables stay short and equal on every machine. */
export function short(value, digits = 3) {
  return String(Number(value.toFixed(digits)));
}

function quote(cell) {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
