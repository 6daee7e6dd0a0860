import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Holder, type LockFile, takeLockFile } from '../src/lock-file.ts';
import { folder } from './jobs/fixture.ts';

/** A process that is no more. */
const dead = (nonce: string): Holder => ({ pid: 2 ** 22 + 1, start: 'boot/1', host: hostname(), nonce });
const nonce = (digit: number) => `${digit}0000000-0000-4000-8000-000000000000`;

/** The lock of a dead process; `during` happens when somebody has seen that, and before he takes it over. */
function takeOver(during: (path: string) => void): { path: string; taken: LockFile | Holder } {
  const path = join(folder(), 'lock');
  writeFileSync(path, JSON.stringify(dead(nonce(1))));
  let seen = 0;
  const taken = takeLockFile(path, undefined, () => {
    if (seen++ === 0) during(path);
    return true;
  });
  return { path, taken };
}

test('who is late finds that another has taken over meanwhile', () => {
  let rival: LockFile | Holder | undefined;
  const { path, taken } = takeOver((path) => {
    rival = takeLockFile(path);
  });
  expect(rival).toHaveProperty('release');
  expect(taken).toMatchObject({ pid: process.pid });
  (rival as LockFile).release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('and has it when that one has given it back', () => {
  const { path, taken } = takeOver((path) => (takeLockFile(path) as LockFile).release());
  expect(takeLockFile(path)).toMatchObject({ pid: process.pid });
  (taken as LockFile).release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
});

test('who died while taking over is followed in turn, and nothing of him is left', () => {
  const { path, taken } = takeOver((path) => {
    writeFileSync(`${path}.${nonce(1)}`, JSON.stringify(dead(nonce(2))));
  });
  expect(taken).toHaveProperty('release');
  expect(readdirSync(join(path, '..'))).toEqual(['lock']);
});

test('it is left to a dead holder for as long as it is not clear of him', () => {
  const path = join(folder(), 'lock');
  writeFileSync(path, JSON.stringify(dead(nonce(1))));
  expect(takeLockFile(path, undefined, () => false)).toMatchObject({ nonce: nonce(1) });
  expect(readdirSync(join(path, '..'))).toEqual(['lock']);
});
