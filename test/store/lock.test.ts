import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refuseHeld, takeLock } from '../../src/store/lock.ts';

const CHILD = fileURLToPath(new URL('../fixtures/take-lock.mjs', import.meta.url));
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

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

describe('takeLock', () => {
  test('one at a time, and again after release', () => {
    const lock = takeLock(dir);
    expect(() => takeLock(dir)).toThrow(`run folder ${dir} is being written by process ${process.pid}`);
    lock.release();
    takeLock(dir).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  test('is refused while another process has it, and the folder stays as it is', async () => {
    const child = await holder();
    const before = readFileSync(join(dir, 'lock'), 'utf8');
    expect(() => takeLock(dir)).toThrow(`is being written by process ${child.pid}`);
    expect(() => refuseHeld(dir)).toThrow(`is being written by process ${child.pid}`);
    expect(readdirSync(dir)).toEqual(['lock']);
    expect(readFileSync(join(dir, 'lock'), 'utf8')).toBe(before);
    await kill(child);
  });

  test('is taken over from a process that was killed', async () => {
    await kill(await holder());
    expect(existsSync(join(dir, 'lock'))).toBe(true);
    const lock = takeLock(dir);
    expect(JSON.parse(readFileSync(join(dir, 'lock'), 'utf8')).pid).toBe(process.pid);
    expect(() => takeLock(dir)).toThrow(/being written/);
    lock.release();
  });

  test('is taken over from a process whose id now belongs to another', () => {
    takeLock(dir);
    const path = join(dir, 'lock');
    const holderOfIt = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...holderOfIt, start: 'another-boot/1', nonce: 'n1' }));
    takeLock(dir).release();
  });

  test('is taken over from one who died while taking over', async () => {
    await kill(await holder());
    const dead = JSON.parse(readFileSync(join(dir, 'lock'), 'utf8'));
    const nonce = '00000000-0000-0000-0000-000000000000';
    writeFileSync(join(dir, `lock.${dead.nonce}`), JSON.stringify({ ...dead, nonce }));
    const lock = takeLock(dir);
    expect(readdirSync(dir)).toEqual(['lock']);
    lock.release();
  });

  test('is not taken from a process on another machine', () => {
    takeLock(dir);
    const path = join(dir, 'lock');
    const holderOfIt = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...holderOfIt, host: 'elsewhere', pid: 999_999_999 }));
    expect(() => takeLock(dir)).toThrow(/process 999999999 on elsewhere/);
  });

  test('a lock that is not readable is refused', () => {
    writeFileSync(join(dir, 'lock'), '');
    expect(() => takeLock(dir)).toThrow(/not readable as a lock/);
  });

  test('of many who race for it and die with it, there is never more than one', async () => {
    const children = Array.from({ length: 16 }, () => start('die'));
    await Promise.all(children.map((child) => once(child, 'exit')));
    expect(existsSync(join(dir, 'not-alone'))).toBe(false);
    expect(children.map(({ signalCode }) => signalCode)).toEqual(children.map(() => 'SIGKILL'));
  });
});
