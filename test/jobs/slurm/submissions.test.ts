import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSubmissions } from '../../../src/jobs/slurm/submissions.ts';

const dir = mkdtempSync(join(tmpdir(), 'evolve-submissions-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('what was submitted, and what was about to be, is known to whoever opens them next', () => {
  const first = openSubmissions(dir);
  const batch = first.intend('evolve-me-1', ['aa.1', 'bb.1']);
  first.found(batch, '12');
  first.found(batch, '12');
  first.intend('evolve-me-2', ['bb.2']);
  // Its writer is killed in the middle of a line.
  appendFileSync(join(dir, 'submissions.jsonl'), '{"intent":"evolve-me-3","jobs":["cc');
  first.close();

  const second = openSubmissions(dir);
  second.found(second.intend('evolve-me-4', ['dd.1', 'bb.2']), '15');
  second.close();

  const third = openSubmissions(dir);
  expect(third.all()).toEqual([
    { name: 'evolve-me-1', jobs: ['aa.1', 'bb.1'], ids: ['12'] },
    { name: 'evolve-me-2', jobs: ['bb.2'], ids: [] },
    { name: 'evolve-me-4', jobs: ['dd.1', 'bb.2'], ids: ['15'] },
  ]);
  expect(['aa', 'bb', 'cc', 'dd'].map(third.attempts)).toEqual([1, 2, 0, 1]);
  expect(third.placesOf('bb.2').map(({ batch, index }) => [batch.name, index])).toEqual([
    ['evolve-me-2', 0],
    ['evolve-me-4', 1],
  ]);
  third.close();
  expect(readFileSync(join(dir, 'submissions.jsonl'), 'utf8').match(/"12"/g)).toHaveLength(1);
});
