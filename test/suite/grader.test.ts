import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startGrader } from '../../src/suite/grader.ts';
import type { Grader } from '../../src/suite/suite.ts';
import { tinySuite, tinyTask, writeFiles } from '../fixtures/tiny-suite.ts';

const right = tinyTask()['prepared/private/answers.csv']!;
let dir: string;
let grader: Grader | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grader-'));
  await writeFiles(dir, tinySuite());
});
afterEach(async () => {
  await grader?.close();
  grader = undefined;
  await rm(dir, { recursive: true });
});

/** Ids of the grader processes that `parent` started. */
async function graders(parent: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,args=', '--ppid', String(parent)]);
  const lines = stdout.split('\n').filter((line) => line.includes('grader-process.js') && line.includes(dir));
  return lines.map((line) => Number.parseInt(line, 10));
}

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 600; i++) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    if (stat === '' || / Z /.test(stat)) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
}

describe('startGrader', () => {
  it('grades many submissions at once, in one process', async () => {
    grader = await startGrader(dir);
    const grades = await Promise.all(
      Array.from({ length: 20 }, (_, i) => grader!.grade('tiny-sealed', i % 2 ? right : 'id,y\n')),
    );
    expect(grades.filter((grade) => grade.valid)).toHaveLength(10);
    expect(grades[1]).toMatchObject({ valid: true, score: 1 });
    expect(grades[0]).toMatchObject({ valid: false, reason: '0 rows, not 5' });
  });

  it('rejects for an unknown task and goes on', async () => {
    grader = await startGrader(dir);
    await expect(grader.grade('other', right)).rejects.toThrow('no task "other"');
    expect(await grader.grade('tiny-search', right)).toMatchObject({ valid: true });
  });

  it('rejects for a suite that cannot be read', async () => {
    await rm(join(dir, 'suite.json'));
    await expect(startGrader(dir)).rejects.toThrow('no suite.json');
  });

  it('refuses work once closed', async () => {
    const closed = await startGrader(dir);
    await closed.close();
    await expect(closed.grade('tiny-search', right)).rejects.toThrow('closed');
  });

  it.runIf(existsSync('/proc/self/stat'))(
    'has no environment, rejects on death, starts again once',
    async () => {
      grader = await startGrader(dir);
      const [first] = await graders(process.pid);
      const environment = await readFile(`/proc/${first}/environ`, 'utf8');
      expect(environment).not.toMatch(/HOME=|PATH=|KEY=|NODE_OPTIONS=/);
      const pending = grader.grade('tiny-search', right);
      process.kill(first!, 'SIGKILL');
      await pending.catch(() => {});
      expect(await gone(first!)).toBe(true);
      // The news of a death may take a moment; until then a submission is rejected with it.
      await vi.waitFor(
        async () => expect(await grader!.grade('tiny-search', right)).toMatchObject({ score: 1 }),
        30_000,
      );
      const [second] = await graders(process.pid);
      expect(second).not.toBe(first);
      process.kill(second!, 'SIGKILL');
      await gone(second!);
      await vi.waitFor(() => expect(grader!.grade('tiny-search', right)).rejects.toThrow('died'), 30_000);
    },
  );

  it.runIf(existsSync('/proc/self/stat'))('is gone when its parent is killed', async () => {
    const program = `
      import { startGrader } from ${JSON.stringify(resolve('dist/suite/grader.js'))};
      await startGrader(${JSON.stringify(dir)});
      console.log('ready');
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(parent.stdout, 'data');
    const [pid] = await graders(parent.pid!);
    expect(pid).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(await gone(pid!)).toBe(true);
  });
});
