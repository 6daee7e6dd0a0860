import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openOutcomes } from '../../src/store/outcome-file.ts';
import { scored, trial } from './events.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'evolve-outcomes-'));
  file = path.join(dir, 'attribution.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Opens the file, does something with it, and closes it. */
function within<T>(use: (opened: ReturnType<typeof openOutcomes>) => T): T {
  const opened = openOutcomes(file);
  try {
    return use(opened);
  } finally {
    opened.close();
  }
}

test('keeps outcomes by trial, the first of each, and none that was lost', () => {
  within(({ known, keep }) => {
    keep(trial('t1'), scored(0.5));
    keep(trial('t1'), scored(0.7));
    keep(trial('t2'), { kind: 'lost', reason: 'no disk' });
    expect([...known.keys()]).toEqual(['t1']);
  });
  expect(within(({ known }) => [...known])).toEqual([['t1', scored(0.5)]]);
});

test('a line that a crash has cut off is dropped, and the next one stands by itself', () => {
  within(({ keep }) => keep(trial('t1'), scored(0.5)));
  appendFileSync(file, '{"trial":{"id":"t2"},"outco');
  within(({ known, keep }) => {
    expect([...known.keys()]).toEqual(['t1']);
    keep(trial('t3'), scored(0.1));
  });
  expect(within(({ known }) => [...known.keys()])).toEqual(['t1', 't3']);
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
});

test.each([
  '',
  'null',
  '{"trial":{"id":"t2"}}',
  '{"trial":{"id":"t2"},"outcome":{"kind":"scored","score":7}}',
  '{"trial":{"id":"t2"},"outcome":{"kind":"scored"}}',
  '{"trial":{"id":2},"outcome":{"kind":"failed","reason":"x"}}',
  '{"trial":{"id":"t2"},"outcome":{"kind":"lost","reason":"x"}}',
])('a line that is no outcome counts as not run: %s', (line) => {
  appendFileSync(file, `${line}\n`);
  expect(within(({ known }) => known.size)).toBe(0);
});
