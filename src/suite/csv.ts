/** A table as text: every row has as many cells as the header. */
export type Csv = { header: string[]; rows: string[][] };

/**
 * Reads CSV (RFC 4180; also LF line ends and a byte order mark). The first record is the header; blank lines
 * are skipped unless the table has a single column. Throws an `Error` that names the line for an open quote,
 * text behind a closing quote, a ragged row, or a missing header.
 */
export function parseCsv(text: string): Csv {
  const records = readRecords(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const header = records.shift()?.cells;
  if (header === undefined || (header.length === 1 && header[0] === '')) throw new Error('line 1: no header');
  const rows: string[][] = [];
  for (const { cells, line } of records) {
    if (header.length > 1 && cells.length === 1 && cells[0] === '') continue;
    if (cells.length !== header.length) {
      throw new Error(`line ${line}: ${cells.length} cells where the header has ${header.length}`);
    }
    rows.push(cells);
  }
  return { header, rows };
}

/** Writes CSV with LF line ends; cells are quoted only where they must be. `parseCsv` reads it back. */
export function formatCsv(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, ...rows].map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}

function quoted(cell: string): string {
  return /[",\r\n\uFEFF]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

function readRecords(text: string): { cells: string[]; line: number }[] {
  const records: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  let at = 0;
  while (at < text.length) {
    let cell: string;
    if (text[at] === '"') {
      const opened = line;
      cell = '';
      at++;
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0) throw new Error(`line ${opened}: a quote is opened and never closed`);
        cell += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
      line += cell.split('\n').length - 1;
      if (at < text.length && !',\r\n'.includes(text[at]!)) {
        throw new Error(`line ${line}: text behind a closing quote`);
      }
    } else {
      const from = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '\n' && text[at] !== '\r') at++;
      cell = text.slice(from, at);
    }
    cells.push(cell);
    if (text[at] === ',') {
      at++;
      // A comma at the very end opens one more, empty, cell.
      if (at === text.length) cells.push('');
      continue;
    }
    if (text[at] === '\r') at++;
    if (text[at] === '\n') at++;
    records.push({ cells, line: start });
    cells = [];
    line++;
    start = line;
  }
  if (cells.length > 0) records.push({ cells, line: start });
  return records;
}
