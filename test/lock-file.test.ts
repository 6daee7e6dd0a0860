import { readdirSync, readFileSync, renameSync as renameTo, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import {
  BEAT_MS,
  type Held,
  holderOf,
  type LockFile,
  SILENT_LOOKS,
  takeLockFile,
  watchHolders,
} from '../src/lock-file.ts';
import { owner } from '../src/owner.ts';
import { folder } from './jobs/fixture.ts';

/** What `link` fails with, as on a disk without hard links; null where it works. */
const links = vi.hoisted(() => ({ refused: null as string | null }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const linkSync = (from: string, to: string) => {
    if (links.refused) throw Object.assign(new Error('no links'), { code: links.refused, syscall: 'link' });
    fs.linkSync(from, to);
  };
  return { ...fs, linkSync };
});
afterEach(() => {
  links.refused = null;
  vi.useRealTimers();
});

/** The lock of a process that is gone. */
const dead = (nonce: string) => ({
  pid: 2 ** 22 + 1,
  host: hostname(),
  owner: owner().replace(/\.\d+\.\w+$/, `.${2 ** 22 + 1}.1`),
  nonce,
});
/** The lock of a process that cannot be seen from here. */
const stranger = { ...dead('s'), owner: '0123456789abcdef-4026531836.1.5' };
const nonce = (digit: number) => `${digit}0000000-0000-4000-8000-000000000000`;
const lockWith = (holder: object) => {
  const path = join(folder(), 'lock');
  writeFileSync(path, JSON.stringify(holder));
  return path;
};

/** The lock of a dead process; `during` happens when somebody has seen that, and before he takes it over. */
function takeOver(during: (path: string) => void): { path: string; taken: LockFile | Held } {
  const path = lockWith(dead(nonce(1)));
  let seen = 0;
  const clear = () => {
    if (seen++ === 0) during(path);
    return true;
  };
  return { path, taken: takeLockFile(path, { clear }) };
}

test('who is late finds that another has taken over meanwhile', () => {
  let rival: LockFile | Held | undefined;
  const { path, taken } = takeOver((path) => {
    rival = takeLockFile(path);
  });
  expect(rival).toHaveProperty('release');
  expect(taken).toMatchObject({ pid: process.pid, life: 'alive' });
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
  const path = lockWith(dead(nonce(1)));
  expect(takeLockFile(path, { clear: () => false })).toMatchObject({ nonce: nonce(1) });
  expect(readdirSync(join(path, '..'))).toEqual(['lock']);
});

test('a holder that cannot be seen from here keeps its lock, until it counts as silent', () => {
  const path = lockWith(stranger);
  expect(takeLockFile(path)).toMatchObject({ nonce: 's', life: 'unknown' });
  expect(takeLockFile(path, { isSilent: () => true })).toHaveProperty('release');
  expect(holderOf(path)).toMatchObject({ pid: process.pid });
});

test('a holder of an earlier version, which gives no signs of life, is never silent', () => {
  const { owner: _, ...old } = stranger;
  const held = holderOf(lockWith({ ...old, start: 'a-boot/5' }))!;
  expect(held).toMatchObject({ life: 'unknown', beat: null });
  const watch = watchHolders(clock());
  for (let i = 0; i < 5 * SILENT_LOOKS; i++) expect(watch(held)).toBe('moving');
});

/** A clock that is a beat later at each look. */
function clock(): () => number {
  let now = 0;
  return () => {
    now += BEAT_MS;
    return now;
  };
}

test('a holder is silent when nothing moves for so many looks, and any sign of life begins them anew', () => {
  const path = lockWith(stranger);
  const watch = watchHolders(clock());
  const look = () => watch(holderOf(path)!);
  const looks = (count: number) => Array.from({ length: count }, look);
  expect(new Set(looks(SILENT_LOOKS / 2))).toEqual(new Set(['watched']));
  utimesSync(path, 1, 1);
  expect(look()).toBe('moving');
  utimesSync(path, 1, 2);
  expect(look()).toBe('moving');
  const first = looks(SILENT_LOOKS).indexOf('silent');
  expect(first).toBeGreaterThan(SILENT_LOOKS / 2);
  expect(look()).toBe('silent');
});

test('looks that come faster than signs of life do not count, however many', () => {
  const held = holderOf(lockWith(stranger))!;
  const watch = watchHolders(() => 5);
  for (let i = 0; i < 10 * SILENT_LOOKS; i++) expect(watch(held)).toBe('watched');
});

test('who has a lock gives signs of life, and knows when it is taken from him', () => {
  vi.useFakeTimers({ now: 1_000_000_000_000 });
  const path = join(folder(), 'lock');
  const lock = takeLockFile(path) as LockFile;
  const before = holderOf(path)!.beat;
  vi.advanceTimersByTime(BEAT_MS);
  const after = holderOf(path)!.beat;
  expect(after).not.toBe(before);
  vi.advanceTimersByTime(BEAT_MS);
  expect(holderOf(path)!.beat).not.toBe(after);
  expect(lock.isOurs()).toBe(true);

  const other = JSON.stringify(stranger);
  writeFileSync(`${path}.new`, other);
  renameTo(`${path}.new`, path);
  const theirs = holderOf(path)!.beat;
  expect(lock.isOurs()).toBe(false);
  vi.advanceTimersByTime(3 * BEAT_MS);
  expect(holderOf(path)!.beat, 'signs of life for the lock of another').toBe(theirs);
  lock.release();
  expect(readFileSync(path, 'utf8'), 'the lock of another is not released').toBe(other);
});

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP'])('a disk without hard links (%s) has locks, too', (code) => {
  links.refused = code;
  const path = join(folder(), 'lock');
  const lock = takeLockFile(path) as LockFile;
  expect(takeLockFile(path)).toMatchObject({ pid: process.pid, life: 'alive' });
  expect(lock.isOurs()).toBe(true);
  lock.release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
  writeFileSync(path, JSON.stringify(dead(nonce(1))));
  expect(takeLockFile(path)).toHaveProperty('release');
  expect(readdirSync(join(path, '..'))).toEqual(['lock']);
});

test('an empty lock, whose maker died on a disk without hard links, is taken over like that of an unseen holder', () => {
  const path = join(folder(), 'lock');
  writeFileSync(path, '');
  expect(takeLockFile(path)).toMatchObject({ life: 'unknown' });
  const watch = watchHolders(clock());
  const isSilent = (held: Held) => watch(held) === 'silent';
  let taken = takeLockFile(path, { isSilent });
  for (let i = 0; i < SILENT_LOOKS && !('release' in taken); i++) taken = takeLockFile(path, { isSilent });
  expect(taken).toHaveProperty('release');
  expect(readdirSync(join(path, '..'))).toEqual(['lock']);
});
