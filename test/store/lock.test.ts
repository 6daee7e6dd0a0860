import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { refuseHeld, takeLock, writerOf } from '../../src/store/lock.ts';

const CHILD = fileURLToPath(new URL('../fixtures/take-lock.mjs', import.meta.url));
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-lock-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

function start(mode: 'hold' | 'die'): ChildProcess {
  return spawn(process.execPath, [CHILD, dir, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function holder(): Promise<ChildProcess> {
  const child = start('hold');
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Looks anew at once, and does `act` before the second look. */
function looks(act: () => void = () => {}) {
  let count = 0;
  return {
    pause: async () => {
      if (count++ === 0) act();
    },
    get count() {
      return count;
    },
  };
}

/** Makes the lock in `dir` that of a process that cannot be seen from here. */
async function strangerHolds(): Promise<string> {
  const path = join(dir, 'lock');
  await takeLock(dir);
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  const unseen = { host: 'elsewhere', pid: 7, owner: '0123456789abcdef-4026531836.7.5', nonce: 'n1' };
  writeFileSync(path, JSON.stringify({ ...holder, ...unseen }));
  return path;
}

describe('takeLock', () => {
  test('one at a time, and again after release', async () => {
    const lock = await takeLock(dir);
    await expect(takeLock(dir)).rejects.toThrow(
      `run folder ${dir} is being written by process ${process.pid}`,
    );
    lock.release();
    (await takeLock(dir)).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('is refused while another process has it, and the folder stays as it is', async () => {
    const child = await holder();
    const before = readFileSync(join(dir, 'lock'), 'utf8');
    await expect(takeLock(dir)).rejects.toThrow(`is being written by process ${child.pid}`);
    expect(() => refuseHeld(dir)).toThrow(`is being written by process ${child.pid}`);
    expect(readdirSync(dir)).toEqual(['lock']);
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe(before);
    await kill(child);
  });

  test('is taken over from a process that was killed', async () => {
    await kill(await holder());
    expect(existsSync(join(dir, 'lock'))).toBe(true);
    const lock = await takeLock(dir);
    expect(JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')).pid).toBe(process.pid);
    await expect(takeLock(dir)).rejects.toThrow(/being written/);
    lock.release();
  });

  test('is taken over from a process whose id now belongs to another', async () => {
    await takeLock(dir);
    const path = join(dir, 'lock');
    const holderOfIt = JSON.parse(readFileSync(path, 'utf8'));
    const before = holderOfIt.owner.replace(/\d+$/, '1');
    writeFileSync(path, JSON.stringify({ ...holderOfIt, owner: before, nonce: 'n1' }));
    (await takeLock(dir)).release();
  });

  test('is taken over from one who died while taking over', async () => {
    await kill(await holder());
    const dead = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'));
    const nonce = '00000000-0000-0000-0000-000000000000';
    writeFileSync(join(dir, `lock.${dead.nonce}`), JSON.stringify({ ...dead, nonce }));
    const lock = await takeLock(dir);
    expect(readdirSync(dir)).toEqual(['lock']);
    lock.release();
  });

  test('is not taken from a process that cannot be seen, but gives signs of life; the hint says how to by hand', async () => {
    const path = await strangerHolds();
    const before = readFileSync(path, 'utf8');
    const said: string[] = [];
    const { pause } = looks(() => utimesSync(path, 1, 1));
    const refused = await takeLock(dir, { pause, say: (line) => said.push(line) }).catch((error) => error);
    expect(refused.message).toBe(`run folder ${dir} is being written by process 7 on elsewhere`);
    expect(refused.hint).toContain(`if it is gone for certain, delete ${path} to take the run over`);
    expect(said).toEqual([expect.stringContaining('waiting for a sign of life, 30 s at most')]);
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(() => refuseHeld(dir), 'what cannot be seen is for the lock to find out').not.toThrow();
    expect(writerOf(dir)).toMatchObject({ pid: 7, host: 'elsewhere', alive: false });
  });

  test('is taken over from one that cannot be seen and gives none', async () => {
    await strangerHolds();
    expect(writerOf(dir)).toMatchObject({ alive: true });
    vi.spyOn(performance, 'now').mockImplementation(later());
    const lock = await takeLock(dir, looks());
    expect(lock.isOurs()).toBe(true);
    lock.release();
  });

  test('a wait that is broken off takes nothing', async () => {
    const path = await strangerHolds();
    const before = readFileSync(path, 'utf8');
    const breaking = new AbortController();
    const { pause } = looks(() => breaking.abort());
    await expect(takeLock(dir, { pause, signal: breaking.signal })).rejects.toThrow(/being written/);
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('a lock that is not readable is refused', async () => {
    writeFileSync(join(dir, 'lock'), 'what is this?');
    await expect(takeLock(dir)).rejects.toThrow(/not readable as a lock/);
  });

  test('of many who race for it and die with it, there is never more than one', async () => {
    const children = Array.from({ length: 16 }, () => start('die'));
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(existsSync(join(dir, 'not-alone'))).toBe(false);
    expect(children.map(({ signalCode }) => signalCode)).toEqual(children.map(() => 'SIGKILL'));
  });
});

/** A clock on which a minute passes between two looks. */
function later(): () => number {
  let now = 0;
  return () => {
    now += 60_000;
    return now;
  };
}
