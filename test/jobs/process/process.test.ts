import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type ProcessSpec, runProcess } from '../../../src/jobs/process/process.ts';
import { processTree } from '../../../src/jobs/process/process-tree.ts';
import { Tail } from '../../../src/jobs/process/tail.ts';
import { mark, processesWith, until } from '../fixture.ts';

const node = (code: string, change: Partial<ProcessSpec> = {}): ProcessSpec => ({
  argv: [process.execPath, '-e', code],
  cwd: '/',
  env: { PATH: '/usr/bin:/bin' },
  seconds: 60,
  outputBytes: 1000,
  ...change,
});

/** Starts a grandchild that holds stdout and would live for ten minutes, longer than a test waits for its end. */
const grandchild = (name: string) =>
  `require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600_000)', '${name}'], { stdio: 'inherit' });`;

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
    const running = runProcess(node(`console.log('hi'); ${grandchild(name)} for (;;);`), control.signal);
    await until(() => processesWith(name).length > 1, 'the grandchild to start');
    control.abort();
    expect(await running).toMatchObject({ cause: 'cancelled', output: 'hi\n' });
    await until(() => processesWith(name).length === 0, 'the grandchild to end');
  });
});

test('what matters stands last: stdout of a success, stderr of a failure, in whatever order they were read', async () => {
  const said = "for (let i = 0; i < 3; i++) { console.error('e' + i); console.log('o' + i); }";
  expect((await runProcess(node(said))).output).toBe('e0\ne1\ne2\no0\no1\no2\n');
  const failed = await runProcess(node(`${said} process.exitCode = 1`));
  expect(failed.output).toBe('o0\no1\no2\ne0\ne1\ne2\n');
});

test('a success is told although stderr is full of a progress bar', async () => {
  const ended = await runProcess(node("console.log('score 0.5'); console.error('#'.repeat(100000))"));
  expect(ended.output).toMatch(/score 0\.5\n$/);
});

test('a deadline in years does not end it now', async () => {
  const ended = await runProcess(node("setTimeout(() => console.log('bye'), 200)", { seconds: 1e8 }));
  expect(ended).toMatchObject({ cause: 'exit', output: 'bye\n' });
});

test.skipIf(process.platform !== 'linux')(
  'what waits at its deadline is told from what wants to go on',
  async () => {
    const causeOf = async (waits: boolean) => {
      const guard = { line: () => null, look: () => null, waits: () => waits, end: () => {} };
      return (await runProcess(node('for (;;);', { seconds: 0.1 }), undefined, guard)).cause;
    };
    expect([await causeOf(true), await causeOf(false)]).toEqual(['waiting', 'deadline']);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a process that sleeps waits by itself; one of which a thread works does not',
  async () => {
    const works = "require('fs').writeSync(1, 'on'); for (;;);";
    const thread = `new (require('worker_threads').Worker)(${JSON.stringify(works)}, { eval: true })`;
    for (const [code, waits] of [
      ["require('fs').writeSync(1, 'on'); setTimeout(() => {}, 300_000);", true],
      [works, false],
      [thread, false],
    ] as const) {
      const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        await once(child.stdout, 'data');
        // It may have had to wait long for its share of the machine when it began.
        const looks = () => processTree(child.pid as number).waits(300);
        // Before it sleeps, it has to end what it had begun.
        if (waits) await until(looks, 'it to sleep');
        else for (let i = 0; i < 20; i++) expect(looks()).toBe(false);
      } finally {
        child.kill('SIGKILL');
      }
    }
  },
);

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
