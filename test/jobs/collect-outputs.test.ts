import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectOutputs, restoreOutputs } from '../../src/jobs/result.ts';
import { folder } from './fixture.ts';

test('a large output is what it was when it was looked at, whatever takes its place', async () => {
  const secret = join(folder({ answers: 'secret' }), 'answers');
  const [work, out, trial] = [folder({ 'deep/large.bin': '' }), folder(), folder()];
  const large = Buffer.alloc(3 * 2 ** 20, 'x');
  writeFileSync(join(work, 'deep/large.bin'), large);
  const files = await collectOutputs(work, ['deep/large.bin'], out);
  symlinkSync(secret, join(work, 'link'));
  renameSync(join(work, 'link'), join(work, 'deep/large.bin'));
  const outcome = { kind: 'done' as const, log: '', ms: 1, outputs: ['deep/large.bin'] };
  await restoreOutputs({ outcome, files }, trial, ['deep/large.bin']);
  expect(readFileSync(join(trial, 'deep/large.bin')).equals(large)).toBe(true);
});
