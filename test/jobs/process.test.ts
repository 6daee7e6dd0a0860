import { describe, expect, test } from 'vitest';
import { type ProcessSpec, runProcess } from '../../src/jobs/process.ts';
import { Tail } from '../../src/jobs/tail.ts';
import { mark, processesWith, until } from './fixture.ts';

const node = (code: string, change: Partial<ProcessSpec> = {}): ProcessSpec => ({
  argv: [process.execPath, '-e', code],
  cwd: '/',
  env: { PATH: '/usr/bin:/bin' },
  seconds: 30,
  outputBytes: 1000,
  ...change,
});

/** Starts a grandchild that holds stdout and would live for a minute. */
const grandchild = (name: string) =>
  `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)', '${name}'], { stdio: 'inherit' });`;

describe.skipIf(process.platform !== 'linux')('nothing of a process stays behind', () => {
  test('after its exit, although a grandchild holds its output', async () => {
    const name = mark();
    const ended = await runProcess(
      node(`${grandchild(name)} console.log('bye'); setTimeout(() => process.exit(3), 100)`),
    );
    expect(ended).toMatchObject({ cause: 'exit', code: 3, output: 'bye\n' });
    await until(() => processesWith(name).length === 0, 'the grandchild to end');
  });

  test('after its deadline', async () => {
    const name = mark();
    const ended = await runProcess(node(`${grandchild(name)} for (;;);`, { seconds: 1 }));
    expect(ended.cause).toBe('deadline');
    await until(() => processesWith(name).length === 0, 'the grandchild to end');
  });

  test('after an abort', async () => {
    const name = mark();
    const control = new AbortController();
    const running = runProcess(node(`${grandchild(name)} for (;;);`), control.signal);
    await until(() => processesWith(name).length > 1, 'the grandchild to start');
    control.abort();
    expect((await running).cause).toBe('cancelled');
    await until(() => processesWith(name).length === 0, 'the grandchild to end');
  });
});

test('an abort before the start starts nothing', async () => {
  expect((await runProcess(node(''), AbortSignal.abort())).cause).toBe('cancelled');
});

test('what cannot be started says why', async () => {
  const missing = await runProcess(node('', { argv: ['/nowhere/at/all'] }));
  expect(missing.cause).toBe('not-started');
  expect(missing.error).toContain('ENOENT');
});

test('a flood of output is stopped, and its end is the same each time', async () => {
  const code =
    "const { writeSync } = require('fs'); let n = 0; for (;;) writeSync(1, ('line ' + n++ + '\\n').repeat(5000));";
  const floods = [await runProcess(node(code)), await runProcess(node(code))];
  expect(floods[0]?.cause).toBe('flood');
  expect(floods[0]?.output.length).toBe(1000);
  expect(floods[1]?.output).toBe(floods[0]?.output);
});

test('a tail keeps the end, cut at a character, however the chunks fall', () => {
  const bytes = Buffer.from('€'.repeat(100_000));
  for (const size of [1000, 4096, 100_001]) {
    const tail = new Tail(10, 1e9);
    for (let at = 0; at < bytes.length; at += size) tail.push(bytes.subarray(at, at + size));
    expect(tail.text()).toBe('€€€');
  }
  const short = new Tail(10, 1e9);
  short.push(Buffer.from('abc'));
  expect(short.text()).toBe('abc');
});
