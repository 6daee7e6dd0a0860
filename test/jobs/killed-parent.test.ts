import { spawn } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectSandbox } from '../../src/jobs/sandbox.ts';
import { openScratch } from '../../src/jobs/scratch.ts';
import { folder, job, mark, processesWith, until } from './fixture.ts';

const { level, setpriv } = await detectSandbox();
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

  test.skipIf(setpriv === null)('takes its jobs along, where setpriv is', async () => {
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

  test('leaves grandchildren at most, which the next runner ends, and the folders, which it removes', async () => {
    const cacheDir = folder();
    const fled = `import { spawn } from 'node:child_process';
      spawn('node', ['-e', 'setInterval(() => {}, 1000)', process.argv[2]], { detached: true, stdio: 'ignore' });
      for (;;);`;
    const name = await killMidway(
      'none',
      cacheDir,
      fled,
      (mark) => processesWith(`1000)\0${mark}`).length > 0,
    );
    await until(() => processesWith(name).length <= 1, 'the job to end');
    const scratch = await openScratch(join(cacheDir, 'tmp'));
    await until(() => processesWith(name).length === 0, 'the grandchild to end');
    expect(readdirSync(join(cacheDir, 'tmp'))).toHaveLength(1);
    await scratch.remove();
  });
});

test('a runner leaves the folders of another that lives alone', async () => {
  const base = folder();
  const first = await openScratch(base);
  const second = await openScratch(base);
  expect(readdirSync(base)).toHaveLength(2);
  await first.make();
  await Promise.all([first.remove(), second.remove()]);
  expect(readdirSync(base)).toHaveLength(0);
});

test('where nothing can be written, the temporary folder serves', async () => {
  const dir = folder({ file: '' });
  symlinkSync('/nowhere', join(dir, 'link'));
  const scratch = await openScratch(join(dir, 'file/tmp'));
  expect(scratch.dir.startsWith(dir)).toBe(false);
  await scratch.remove();
});
