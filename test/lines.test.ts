import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { appendLine, linesOf } from '../src/lines.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lines-'));
  file = join(dir, 'lines');
});
afterEach(() => rmSync(dir, { recursive: true }));

function read(text: string): [string, number][] {
  writeFileSync(file, text);
  const fd = openSync(file, 'r');
  try {
    return [...linesOf(fd)].map(([line, start]) => [line.toString(), start]);
  } finally {
    closeSync(fd);
  }
}

test('lines that end, and where each begins, in bytes', () => {
  expect(read('')).toEqual([]);
  expect(read('torn')).toEqual([]);
  expect(read('ä\n\nb\ntorn')).toEqual([
    ['ä', 0],
    ['', 3],
    ['b', 4],
  ]);
});

test('wherever the pieces are cut that it is read in', () => {
  const MB = 1 << 20;
  for (const lengths of [
    [MB - 1, 3],
    [MB, 0],
    [MB - 2, 0, 0, 5],
    [3 * MB + 7, 2 * MB],
    [1, MB - 3, 4],
  ]) {
    const lines = lengths.map((length, i) => String(i).repeat(length));
    const found = read(`${lines.join('\n')}\n${'x'.repeat(MB + 9)}`);
    expect(found.map(([line]) => line.length)).toEqual(lengths);
    // Compared by hand: a difference of megabytes is no message.
    expect(found.every(([line], i) => line === lines[i])).toBe(true);
  }
});

test('who reads sees the file as it was when it began, and appends go behind it', () => {
  writeFileSync(file, 'a\nb\n');
  const fd = openSync(file, 'a+');
  let bytes = 4;
  const seen: string[] = [];
  for (const [line] of linesOf(fd)) {
    seen.push(line.toString());
    appendLine(fd, Buffer.from('more\n'), bytes, file);
    bytes += 5;
  }
  closeSync(fd);
  expect(seen).toEqual(['a', 'b']);
  expect(readFileSync(file, 'utf8')).toBe('a\nb\nmore\nmore\n');
});

test('a file that another process has made longer or shorter, or deleted, is not written to', () => {
  writeFileSync(file, 'a\nb\n');
  const fd = openSync(file, 'a');
  const append = () => appendLine(fd, Buffer.from('more\n'), 4, file);
  writeFileSync(file, 'a\nb\nc\n');
  expect(append).toThrow(`${file} was changed by another process: it has 6 bytes, and should have 4`);
  truncateSync(file, 2);
  expect(append).toThrow('was changed by another process');
  expect(readFileSync(file, 'utf8')).toBe('a\n');
  rmSync(file);
  expect(append).toThrow(`${file} was deleted`);
  closeSync(fd);
});
