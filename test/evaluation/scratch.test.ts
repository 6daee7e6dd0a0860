import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { makeScratch, removeScratch, sweepScratch } from '../../src/evaluation/scratch.ts';
import { owner } from '../../src/owner.ts';

test('the sweep takes what dead runs left, and nothing of the living or of others', () => {
  const own = makeScratch();
  writeFileSync(join(own, 'file'), 'x');
  const gone = spawnSync(process.execPath, ['-e', 'console.log(process.pid)'], {
    encoding: 'utf8',
  }).stdout.trim();
  const named = (name: string) => join(dirname(own), `evolve-trial-${name}.abc`);
  const left = named(owner().replace(`.${process.pid}.`, `.${gone}.`));
  // Of a process of another container or machine nobody here can know whether it still runs.
  const elsewhere = named('0123456789abcdef-4026531836.1.5');
  const foreign = join(dirname(own), `somebody-${gone}-abc`);
  for (const folder of [left, elsewhere, foreign]) mkdirSync(join(folder, 'work'), { recursive: true });
  sweepScratch();
  expect(existsSync(left)).toBe(false);
  expect(existsSync(foreign)).toBe(true);
  expect(existsSync(join(own, 'file'))).toBe(true);
  expect(existsSync(join(elsewhere, 'work'))).toBe(true);
  removeScratch(own);
  removeScratch(elsewhere);
  removeScratch(foreign);
  expect(existsSync(own)).toBe(false);
});
