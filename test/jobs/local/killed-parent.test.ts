import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { identify } from '../../../src/jobs/identify.ts';
import type { JobSpec } from '../../../src/jobs/job.ts';
import { endWorkOf, openScratch } from '../../../src/jobs/process/scratch.ts';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { owner } from '../../../src/owner.ts';
import { folder, job, mark, processesWith, until } from '../fixture.ts';

const { level } = await detectSandbox();
const built = resolve('dist/jobs/local/local.js');

/** A program that asks for a job which never ends. */
const parent = (spec: JobSpec, options: unknown) => `import { localRunner } from '${built}';
  await localRunner(${JSON.stringify(options)}).run(${JSON.stringify(spec)}, '${identify(spec)}');`;

/** Runs a job under a runner that is killed as soon as `ready` holds; gives the job's mark. */
async function killMidway(
  sandbox: 'auto' | 'none',
  cacheDir: string,
  main = 'for (;;);',
  ready = (name: string) => processesWith(name, true).length > 0,
): Promise<string> {
  const name = mark();
  const spec = job(main, { command: ['node', 'main.mjs', name] });
  const dir = folder({ 'parent.mjs': parent(spec, { cacheDir, sandbox }) });
  const runner = spawn(process.execPath, [join(dir, 'parent.mjs')], { stdio: 'inherit' });
  await until(() => ready(name), 'the job to start');
  runner.kill('SIGKILL');
  await new Promise((done) => runner.once('exit', done));
  return name;
}

describe.skipIf(process.platform !== 'linux')('a runner that is killed', () => {
  test.skipIf(level === 'none')('takes its jobs along, inside bubblewrap', async () => {
    const name = await killMidway('auto', folder());
    await until(() => processesWith(name).length === 0, 'the job to end');
  });

  test('takes its jobs along, without', async () => {
    const name = await killMidway('none', folder());
    await until(() => processesWith(name).length === 0, 'the job to end');
  });

  test.skipIf(level === 'none')('takes them along also while their sandbox is set up', async () => {
    for (const delay of [0, 1, 2, 4, 8, 12]) {
      const name = await killMidway('auto', folder(), 'for (;;);', (mark) => {
        if (processesWith(mark).length === 0) return false;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
        return true;
      });
      await until(() => processesWith(name).length === 0, `the job to end, killed after ${delay} ms`);
    }
  });

  test('takes along what has left its group, once another looks after it', async () => {
    const base = folder();
    // A scratch place of a process that is no more, and a process that still works in it.
    const owner = spawn(process.execPath, ['-e', '']);
    await new Promise((done) => owner.once('exit', done));
    const left = openScratch([base]);
    const dir = join(left.make(), 'work');
    mkdirSync(dir);
    const name = mark();
    const argv = ['-e', 'setInterval(() => {}, 1000)', name];
    spawn(process.execPath, argv, { cwd: dir, detached: true, stdio: 'ignore' }).unref();
    await until(() => processesWith(name).length > 0, 'the process to start');
    const dead = basename(left.dir).replace(`.${process.pid}.`, `.${owner.pid}.`);
    renameSync(left.dir, join(base, dead));
    const next = openScratch([base]);
    expect(readdirSync(base)).toEqual([basename(next.dir)]);
    await until(() => processesWith(name).length === 0, 'the process to end');
  });
});

test.skipIf(level === 'none' || !existsSync('/dev/shm'))(
  'what runs for a process that is no more is found inside its sandbox, also in memory',
  async () => {
    for (const place of ['/dev/shm', folder()]) {
      const base = mkdtempSync(join(place, 'evolve-test-'));
      onTestFinished(() => rmSync(base, { recursive: true, force: true }));
      const [dead, name] = [`${owner().split('.')[0]}.999992.1`, mark()];
      const work = join(base, `${dead.replace('999992', '999991')}.${dead}.abc`, '0/work');
      mkdirSync(work, { recursive: true });
      const walls = [
        '--unshare-user',
        '--unshare-pid',
        '--ro-bind',
        '/',
        '/',
        '--tmpfs',
        '/tmp',
        '--proc',
        '/proc',
      ];
      const argv = [...walls, '--bind', work, '/tmp', '--chdir', '/tmp', 'sh', '-c', 'sleep 600; :', name];
      const outer = spawn('bwrap', argv, { cwd: work, stdio: 'ignore' });
      await until(() => processesWith(name).length >= 3, 'the sandbox to stand');
      outer.kill('SIGKILL');
      await once(outer, 'exit');
      expect(endWorkOf(dead, [base])).toBe(false);
      // One that is ending shows its folder for longer than its command line.
      await until(() => endWorkOf(dead, [base]), 'it to end');
      expect(processesWith(name)).toEqual([]);
    }
  },
);

test('a runner leaves the folders of another that lives alone', () => {
  const base = folder();
  const first = openScratch([base]);
  const second = openScratch([base]);
  expect(readdirSync(base)).toHaveLength(2);
  first.make();
  first.remove();
  second.remove();
  expect(readdirSync(base)).toHaveLength(0);
});

test('where nothing can be written, the next place serves', () => {
  const dir = folder({ file: '' });
  const scratch = openScratch([join(dir, 'file/tmp'), join(dir, 'other')]);
  expect(scratch.dir.startsWith(join(dir, 'other'))).toBe(true);
});

test.skipIf(process.getuid?.() !== 0)(
  'a place that another made, or that is a link of theirs, is none of ours (needs root)',
  () => {
    const dir = folder();
    const [theirs, link, ours] = ['theirs', 'link', 'ours'].map((name) => join(dir, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(theirs);
    chownSync(theirs, 65534, 65534);
    mkdirSync(join(dir, 'victim'));
    symlinkSync(join(dir, 'victim'), link);
    lchownSync(link, 65534, 65534);
    expect(openScratch([theirs, link, ours]).dir.startsWith(ours)).toBe(true);
  },
);
