import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Result } from '../../../src/jobs/result.ts';
import {
  claim,
  claimedBy,
  folderOf,
  isOrdered,
  makeShared,
  names,
  readOrder,
  readResult,
  tidy,
  writeOrder,
  writeResult,
} from '../../../src/jobs/slurm/job-folder.ts';
import { folder, job } from '../fixture.ts';

const task = (id: string, restart = 0) => ({ job: id, node: 'n1', restart });

async function ordered() {
  const shared = join(folder(), 'slurm');
  await makeShared(shared);
  const spec = job('console.log(1)');
  mkdirSync(join(spec.folder, 'lib'));
  writeFileSync(join(spec.folder, 'lib', 'a.mjs'), 'a', { mode: 0o755 });
  writeFileSync(join(spec.folder, 'submission.csv'), 'an old output');
  await writeOrder(shared, 'aa.1', spec, ['/hidden']);
  return { shared, spec, dir: folderOf(shared, 'aa.1') };
}

test('an order has all inputs of the job, and none of its outputs', async () => {
  const { shared, spec, dir } = await ordered();
  const { spec: there, hidden } = readOrder(shared, 'aa.1');
  expect(there).toEqual({ ...spec, folder: join(dir, 'input') });
  expect(hidden).toEqual(['/hidden']);
  expect(names(there.folder).sort()).toEqual(['lib', 'main.mjs']);
  expect(statSync(join(there.folder, 'lib', 'a.mjs')).mode & 0o111).not.toBe(0);
  expect(isOrdered(shared, 'aa.1')).toBe(true);
  expect(isOrdered(shared, 'bb.1')).toBe(false);
});

test('a job is taken once, whoever comes; the same task, begun anew by Slurm, takes it again', async () => {
  const { shared } = await ordered();
  expect(claimedBy(shared, 'aa.1')).toBeNull();
  expect(claim(shared, 'aa.1', task('12_0'))).toBe(true);
  expect(claim(shared, 'aa.1', task('13_0'))).toBe(false);
  expect(claim(shared, 'aa.1', task('12_0'))).toBe(false);
  expect(claim(shared, 'aa.1', task('12_0', 1))).toBe(true);
  expect(claim(shared, 'aa.1', task('12_0', 1))).toBe(false);
  expect(claimedBy(shared, 'aa.1')).toEqual(task('12_0', 1));
  await writeResult(shared, 'aa.1', task('12_0', 1), {
    outcome: { kind: 'failed', exitCode: 1, log: '', ms: 1 },
    files: [],
  });
  expect(claim(shared, 'aa.1', task('12_0', 2))).toBe(false);
});

test('one that was taken by somebody who could not say so is taken all the same', async () => {
  const { shared, dir } = await ordered();
  mkdirSync(join(dir, 'claim'));
  expect(claim(shared, 'aa.1', task('12_0'))).toBe(false);
  expect(claimedBy(shared, 'aa.1')).toBeNull();
});

test('a result comes back as it was, large files where they stand', async () => {
  const { shared, dir } = await ordered();
  const large = join(folder({ big: 'x'.repeat(1000) }), 'big');
  const result: Result = {
    outcome: { kind: 'done', log: 'é', ms: 3, outputs: ['a', 'b', 'c/d'] },
    files: [
      { path: 'a', text: 'text' },
      { path: 'b', base64: 'AP8=' },
      { path: 'c/d', file: large, bytes: 1000 },
    ],
  };
  await writeResult(shared, 'aa.1', task('12_0'), result);
  const found = readResult(shared, 'aa.1');
  const place = join(dir, 'files', 'c/d');
  expect(found).toEqual({
    task: task('12_0'),
    result: { ...result, files: [...result.files.slice(0, 2), { path: 'c/d', file: place, bytes: 1000 }] },
  });
  expect(readFileSync(place, 'utf8')).toBe('x'.repeat(1000));
  expect(names(join(shared, 'ended'))).toEqual(['aa.1']);
  // A disk that shows the large file only in part, yet.
  writeFileSync(place, 'x');
  expect(readResult(shared, 'aa.1')).toBeNull();
});

test('nothing is read of a result that is none', async () => {
  const { shared, dir } = await ordered();
  expect(readResult(shared, 'aa.1')).toBeNull();
  const outcome = { kind: 'done', log: '', ms: 1, outputs: [] };
  const stray = { outcome, files: [{ path: '../../escape', text: 'x' }] };
  for (const text of ['', '{"outcome":', '[]', JSON.stringify({ task: task('1_0'), ...stray })]) {
    writeFileSync(join(dir, 'result.json'), text);
    expect(readResult(shared, 'aa.1')).toBeNull();
  }
});

test('results that nobody has taken outlive the run; all else goes with it', async () => {
  const { shared } = await ordered();
  const spec = job('');
  await writeOrder(shared, 'bb.1', spec, []);
  await writeResult(shared, 'bb.1', task('12_1'), {
    outcome: { kind: 'timeout', log: '', ms: 1 },
    files: [],
  });
  writeFileSync(join(shared, 'submissions.jsonl'), '');
  await tidy(shared);
  expect(names(join(shared, 'jobs'))).toEqual(['bb.1']);
  expect(readResult(shared, 'bb.1')?.result.outcome.kind).toBe('timeout');
});
