import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch, removeScratch, sweepScratch } from '../../src/evaluation/scratch.ts';

test('the sweep takes what dead runs left, and nothing of the living or of others', () => {
  const own = makeScratch();
  writeFileSync(join(own, 'file'), 'x');
  const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], {
    encoding: 'utf8',
  }).stdout.trim();
  const left = join(dirname(own), `evolve-trial-${gone}-abc`);
  const foreign = join(dirname(own), `somebody-${gone}-abc`);
  for (const folder of [left, foreign]) mkdirSync(join(folder, 'work'), { recursive: true });
  sweepScratch();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(foreign)).toBe(true);
  expect(existsSync(join(own, 'file'))).toBe(true);
  removeScratch(own);
  removeScratch(foreign);
  expect(existsSync(own)).toBe(false);
});
