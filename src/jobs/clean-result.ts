import { closeSync, openSync, readSync } from 'node:fs';
import { redact, redactDeep } from '../secrets.ts';
import type { Result, ResultFile } from './result.ts';

/** How much of a large file is looked at at once, in bytes, and how much of it again with the next piece. */
const PIECE = 1 << 20;
const OVERLAP = 1 << 16;

/**
 * The result without the values of secret variables: without a sandbox a job may have found one, and what it gives goes
 * into the cache, the run's folder, and before a model. Texts are redacted; a file that is no text, or large, and
 * holds one, is no output.
 */
export function cleanResult({ outcome, files }: Result): Result {
  const clean = files.flatMap(cleanFile);
  const kept = clean.map(({ path }) => path);
  const said = redactDeep(outcome);
  if (said.kind !== 'done' || kept.length === files.length) return { outcome: said, files: clean };
  return { outcome: { ...said, outputs: said.outputs.filter((path) => kept.includes(path)) }, files: clean };
}

function cleanFile(file: ResultFile): ResultFile[] {
  if ('text' in file) return [{ ...file, text: redact(file.text) }];
  const holds = 'file' in file ? largeHolds(file.file) : textHolds(Buffer.from(file.base64, 'base64'));
  return holds ? [] : [file];
}

function textHolds(bytes: Buffer): boolean {
  const text = bytes.toString('utf8');
  return redact(text) !== text;
}

function largeHolds(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (let start = 0; ; start += PIECE - OVERLAP) {
      const length = readSync(fd, piece, 0, PIECE, start);
      if (textHolds(piece.subarray(0, length))) return true;
      if (length < PIECE) return false;
    }
  } finally {
    closeSync(fd);
  }
}
