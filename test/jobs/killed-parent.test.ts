import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectSandbox } from '../../src/jobs/sandbox.ts';
import { openScratch } from '../../src/jobs/scratch.ts';
import { folder, job, mark, processesWith, until } from './fixture.ts';

const { level } = await detectSandbox();
const built = resolve('dist/jobs/local.js');

/** A program that asks for a job which never ends. */
const parent = (spec: unknown, options: unknown) => `import { localRunner } from '${built}';
  await localRunner(${JSON.stringify(options)}).run(${JSON.stringify(spec)}, 'aa');`;

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
