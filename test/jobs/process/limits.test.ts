import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JobSpec } from '../../../src/jobs/job.ts';
import { cgroupPlace } from '../../../src/jobs/process/limits.ts';
import { findPython } from '../../../src/jobs/sandbox/python.ts';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { createSlots } from '../../../src/jobs/slots/slots.ts';
import { gpus, job, mark, processesWith, runner, until } from '../fixture.ts';

const { level, why, memoryLimit } = await detectSandbox();
const place = await cgroupPlace();
const kind = place?.kind ?? 'no control groups';
const { python } = await findPython();
const ways = [
  { sandbox: 'auto', limits: 'auto' },
  { sandbox: 'auto', limits: 'watch' },
  { sandbox: 'none', limits: 'auto' },
  { sandbox: 'none', limits: 'watch' },
] as const;
if (level === 'none') console.warn(`not tested inside bubblewrap: ${why}`);
if (kind === 'no control groups') console.warn('not tested with control groups: none can be made here');
const here = ways.filter(
  ({ sandbox, limits }) =>
    (sandbox === 'none' || level !== 'none') && (limits === 'watch' || kind !== 'no control groups'),
);

const wait = 'setTimeout(() => {}, 300_000);';
const fill = (megabytes: number) =>
  `const all = []; for (let i = 0; i < ${megabytes / 10}; i++) all.push(Buffer.alloc(1e7, 1)); ${wait}`;
const starts = (count: number, argv: string[]) =>
  `import { spawn } from 'node:child_process';
  for (let i = 0; i < ${count}; i++) spawn(${JSON.stringify(argv[0])}, ${JSON.stringify(argv.slice(1))}, { stdio: 'ignore' }).on('error', () => {});
  ${wait}`;
const bounded = (main: string, limits: Partial<JobSpec['limits']>, change: Partial<JobSpec> = {}) =>
  job(main, { ...change, limits: { seconds: 60, memoryMb: 256, outputBytes: 4096, ...limits } });

describe.runIf(process.platform === 'linux').each(here)(
  `a job, sandbox $sandbox, limits $limits (${kind})`,
  (way) => {
    const slots = () => createSlots({ cpus: 2, gpus: gpus('GPU-a') });
    const run = (spec: JobSpec, signal?: AbortSignal) => runner({ ...way, slots: slots() }).run(spec, signal);

    test('whose processes together take too much memory is out of it', async () => {
      const out = await run(bounded(starts(6, ['node', '-e', fill(150)]), { memoryMb: 128 }));
      expect(out).toMatchObject({ kind: 'out-of-memory', log: '\n[stopped: out of memory]\n' });
    });

    test('with GPUs, to whom addresses are free, may not fill more memory than it has', async () => {
      const out = await run(bounded(fill(900), {}, { gpus: 1 }));
      expect(out).toMatchObject({ kind: 'out-of-memory', log: '\n[stopped: out of memory]\n' });
    });

    test('may use what it has', async () => {
      const main = `${fill(200)} process.exit();`;
      expect((await run(bounded(main, {}))).kind).toBe('done');
      expect((await run(bounded(main, {}, { gpus: 1 }))).kind).toBe('done');
    });

    test.skipIf(!memoryLimit)('that alone asks for too much is told so as everywhere', async () => {
      const heap = 'const all = []; for (;;) all.push(new Array(1000).fill(all.length));';
      const out = await run(bounded(heap, { memoryMb: 64 }));
      expect(out).toMatchObject({ kind: 'out-of-memory', log: '\nFATAL ERROR: out of memory\n' });
      const buffers = 'const all = []; for (;;) all.push(new Float64Array(1e6).fill(1));';
      expect((await run(bounded(buffers, {}))).log).toContain('RangeError: Array buffer allocation failed');
    });

    test.skipIf(python === null)(
      'in Python that takes too much memory is out of it (needs python3)',
      async () => {
        const spec = bounded('', {}, { command: ['python', 'main.py'], runtime: 'python' });
        const main = 'import time\nall = [bytearray(10_000_000) for _ in range(200)]\ntime.sleep(300)\n';
        writeFileSync(join(spec.folder, 'main.py'), main);
        expect(await run(spec)).toMatchObject({ kind: 'out-of-memory' });
        expect(await run({ ...spec, gpus: 1 })).toMatchObject({ kind: 'out-of-memory' });
      },
    );

    test('that starts too many processes is stopped, and they are gone', async () => {
      const name = mark();
      const main = starts(80, ['/bin/sh', '-c', 'sleep 600; :', name]);
      expect(await run(bounded(main, { processes: 48 }))).toMatchObject({
        kind: 'failed',
        log: '\n[stopped: too many processes]\n',
      });
      await until(() => processesWith(name).length === 0, 'them to end');
    });

    test('that fills the disk is stopped, also by the last thing that it does', async () => {
      const files = (end: string) => `import { writeFileSync } from 'node:fs';
      for (let i = 0; i < 60; i++) writeFileSync('f' + i, Buffer.alloc(1e6, 1)); ${end}`;
      for (const end of [wait, '']) {
        expect(await run(bounded(files(end), { diskMb: 32 }))).toMatchObject({
          kind: 'failed',
          log: '\n[stopped: more than 32 MB on the disk]\n',
        });
      }
      const one = "import { writeFileSync } from 'node:fs'; writeFileSync('f', Buffer.alloc(60e6, 1));";
      expect((await run(bounded(one, { diskMb: 32 }))).kind).toBe('failed');
      expect((await run(bounded(one, { diskMb: 64 }))).kind).toBe('done');
    });

    test('may fill the disk that it has beside its memory', async () => {
      const main = `import { writeFileSync } from 'node:fs'; import { setTimeout } from 'node:timers/promises';
      for (let i = 0; i < 80; i++) { writeFileSync('f' + i, Buffer.alloc(5e6, 1)); await setTimeout(5); }`;
      expect((await run(bounded(main, { memoryMb: 64, diskMb: 512 }))).kind).toBe('done');
    });

    test.skipIf(way.sandbox === 'none')('has its files in /tmp and /dev/shm in its memory', async () => {
      const main = `import { writeFileSync } from 'node:fs';
      for (let i = 0; i < 24; i++) for (const dir of ['/tmp/', '/dev/shm/']) writeFileSync(dir + i, Buffer.alloc(1e7, 1)); ${wait}`;
      expect((await run(bounded(main, { memoryMb: 256, diskMb: 64 }))).kind).toBe('out-of-memory');
    });

    test('that hides what it writes in folders too deep for a path, or closed, is stopped; the next one runs', async () => {
      const { run } = runner(way);
      const deep = `import { mkdirSync, writeFileSync } from 'node:fs'; const name = 'x'.repeat(200);
      for (let i = 0; i < 40; i++) { mkdirSync(name); process.chdir(name); } writeFileSync('f', '');`;
      expect(await run(bounded(deep, {}))).toMatchObject({
        kind: 'failed',
        log: '\n[stopped: too many files]\n',
      });
      const closed = `import { mkdirSync, writeFileSync } from 'node:fs';
      mkdirSync('d'); writeFileSync('d/f', ''); mkdirSync('d/e', { mode: 0 });`;
      await run(bounded(closed, {}));
      expect((await run(bounded("console.log('well')", {}))).log).toBe('well\n');
    });

    test('whose budget is time is out of it when the time has passed', async () => {
      for (const change of [{ clock: 'wall' as const }, { gpus: 1 }]) {
        const out = await run(bounded(wait, { seconds: 1 }, change));
        expect(out).toMatchObject({ kind: 'timeout', log: '\n[stopped: out of time]\n' });
      }
    });

    test('leaves no daemon behind, whatever that does to get away', async () => {
      const name = mark();
      const script = 'trap "" TERM HUP INT; cd /; sleep 600; :';
      const argv = JSON.stringify(['-f', '/bin/sh', '-c', script, name]);
      const main = `import { spawn } from 'node:child_process';
      spawn('setsid', ${argv}, { stdio: 'inherit', detached: true }).on('exit', () => console.log('bye'));`;
      expect(await run(bounded(main, {}))).toMatchObject({ kind: 'done', log: 'bye\n' });
      await until(() => processesWith(name).length === 0, 'the daemon to end');
    });

    test.skipIf(way.sandbox === 'none')('is over only when all that it started is gone', async () => {
      const name = mark();
      const main = starts(40, ['/bin/sh', '-c', 'sleep 600; :', name]).replace(
        wait,
        'setTimeout(() => process.exit(), 300);',
      );
      for (let round = 0; round < 3; round++) {
        expect((await run(bounded(main, {}))).kind).toBe('done');
        expect(processesWith(name)).toEqual([]);
      }
    });

    test('that will not end when told to is ended', async () => {
      const name = mark();
      const main = `for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => {}); ${wait}`;
      const control = new AbortController();
      const running = run(bounded(main, {}, { command: ['node', 'main.mjs', name] }), control.signal);
      await until(() => processesWith(name, true).length > 0, 'the job to start');
      control.abort();
      expect((await running).kind).toBe('cancelled');
      expect(processesWith(name, true)).toEqual([]);
    });

    test('that prints without end is stopped, and so is one that prints no line', async () => {
      for (const line of ["'x'.repeat(1e6)", "('x'.repeat(99) + '\\n').repeat(10_000)"]) {
        const main = `import { writeSync } from 'node:fs'; const text = ${line}; for (;;) writeSync(1, text);`;
        const out = await run(bounded(main, {}));
        expect(out).toMatchObject({ kind: 'failed' });
        expect(out.log.endsWith('x\n[stopped: too much output]\n')).toBe(true);
        expect(out.log.length).toBeLessThanOrEqual(4096);
      }
    });

    test('that leaves no output is done, with none', async () => {
      expect(await run(bounded('', {}))).toMatchObject({ kind: 'done', outputs: [], log: '' });
    });
  },
);

test.skipIf(place === null)('the group of a job goes with it', async () => {
  const { run, jobs } = runner({ sandbox: 'none' });
  const { log } = await run(
    job("console.log((await import('node:fs')).readFileSync('/proc/self/cgroup', 'utf8'))"),
  );
  await jobs.close();
  const name = /evolve-[^/\s]+/.exec(log)?.[0] ?? '';
  expect(name).not.toBe('');
  expect(place?.dirs.filter((dir) => existsSync(join(dir, name)))).toEqual([]);
});
