import { type Document, parseDocument } from 'yaml';

/** Texts, and mappings of texts; YAML's other types are not read, so `1.0` stays "1.0". */
export type FrontMatter = Record<string, string | Record<string, string>>;

/**
 * Splits a text into its YAML front matter between two lines `---` and the body. One blank line behind the front
 * matter and one line end at the end are not part of the body, so that `formatFrontMatter` and this are inverses.
 * Only data is read, nothing is run. Throws an `Error` with the line for front matter that is missing, not closed,
 * not YAML, or not a flat mapping.
 */
export function parseFrontMatter(text: string): { fields: FrontMatter; body: string } {
  const lf = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  if (!/^---[ \t]*\n/.test(lf))
    throw new Error('line 1: no front matter; the file must begin with a line "---"');
  const start = lf.indexOf('\n') + 1;
  const close = /^---[ \t]*(\n|$)/m.exec(lf.slice(start));
  if (close === null) throw new Error('line 1: the front matter is not closed by a line "---"');
  const document = parseDocument(lf.slice(start, start + close.index), { schema: 'failsafe' });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const line = (problem.linePos?.[0].line ?? 1) + 1;
    const what = problem.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
    throw new Error(`line ${line}: broken front matter: ${what}`);
  }
  const body = lf.slice(start + close.index + close[0].length);
  return {
    fields: mapping(plain(document)),
    body: body.replace(/^\n/, '').replace(/\n$/, ''),
  };
}

/** Front matter of single-line, double-quoted fields (accepted by every reader of Agent Skills), and a body. */
export function formatFrontMatter(fields: FrontMatter, body: string): string {
  const lines = Object.entries(fields).flatMap(([key, value]) => {
    if (typeof value === 'string') return [`${key}: ${quoted(value)}`];
    if (Object.keys(value).length === 0) return [`${key}: {}`];
    return [`${key}:`, ...Object.entries(value).map(([name, item]) => `  ${quoted(name)}: ${quoted(item)}`)];
  });
  return `---\n${lines.join('\n')}\n---\n\n${body}\n`;
}

function plain(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    throw new Error('front matter: aliases are not supported; quote a text that begins with "*"');
  }
}

/** A JSON string is a YAML double-quoted scalar, but for separators and controls that YAML reads otherwise. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function mapping(value: unknown): FrontMatter {
  if (value === null || value === undefined || value === '') return {};
  const isRecord = (item: unknown): item is Record<string, unknown> =>
    typeof item === 'object' && item !== null && !Array.isArray(item);
  if (!isRecord(value)) throw new Error('line 2: the front matter must be "field: value" lines');
  for (const [key, item] of Object.entries(value)) {
    const flat =
      typeof item === 'string' || (isRecord(item) && Object.values(item).every((x) => typeof x === 'string'));
    if (!flat) throw new Error(`front matter: "${key}" must be a text, or a mapping of texts`);
  }
  return value as FrontMatter;
}
