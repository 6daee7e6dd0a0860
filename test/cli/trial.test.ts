import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Measurement, measureRoles, measureTask } from '../../src/commands/measurement.ts';
import type { Outcome } from '../../src/evaluation/trial.ts';
import type { Task } from '../../src/suite/suite.ts';
import { tinySuite, writeFiles } from '../fixtures/tiny-suite.ts';
import { emptyFolder, evolve } from './evolve.ts';

const BASELINE = path.resolve(import.meta.dirname, '../../genomes/baseline');

let folder: ReturnType<typeof emptyFolder>;
beforeEach(async () => {
  folder = emptyFolder();
  await writeFiles(path.join(folder.dir, 'suite'), tinySuite());
});
afterEach(() => folder.remove());

const trial = (...args: string[]) =>
  evolve(['trial', '--genome', BASELINE, '--suite', 'suite', ...args], {
    cwd: folder.dir,
    env: { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined },
  });

describe('evolve trial', () => {
  test('measures search and validation tasks, and leaves nothing but the job cache', async () => {
    const { code, stdout, stderr } = await trial('--json', '--repeats', '2');
    expect(code).toBe(0);
    const lines = stderr.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^evolve: measuring .*baseline on 2 tasks, 2 repeats each: 4 trials$/);
    // Where a trial takes long the line says what runs, and minutes.
    expect(lines.slice(1).map((line) => /^evolve: (.*) done; .*\d+ m?s$/.exec(line)?.[1])).toEqual(
      [1, 2, 3, 4].map((done) => `${done} of 4 trials`),
    );
    const found = JSON.parse(stdout) as Measurement;
    expect(found.tasks.map(({ id, scores }) => [id, scores.length])).toEqual([
      ['tiny-search', 2],
      ['tiny-validation', 2],
    ]);
    expect(found.trials).toEqual({ run: 4, lost: 0 });
    expect(Object.keys(found.roles)).toEqual(['search', 'validation']);
    expect(readdirSync(path.join(folder.dir, 'runs'))).toEqual(['.cache']);
  });

  test('keeps trials in a new or empty folder only', async () => {
    const before = readFileSync(path.join(folder.dir, 'suite/suite.json'), 'utf8');
    for (const keep of ['suite', 'suite/suite.json']) {
      const { code, stderr } = await trial('--keep', keep);
      expect(code).toBe(2);
      expect(stderr).toMatch(/--keep suite.* (is not empty|is a file); give a new or empty folder/);
    }
    expect(readFileSync(path.join(folder.dir, 'suite/suite.json'), 'utf8')).toBe(before);
  });

  test('gives the same scores again, from the cache', async () => {
    const scores = async (...args: string[]) => {
      const found = JSON.parse(
        (await trial('--json', '--task', 'tiny-search', ...args)).stdout,
      ) as Measurement;
      return { scores: found.tasks.map((task) => task.scores), run: found.jobs.run };
    };
    const quiet = await trial('--json', '--task', 'tiny-search', '--quiet', '--no-job-cache');
    expect(quiet).toMatchObject({ code: 0, stderr: '' });
    const first = await scores('--workers', '1');
    expect(first.run).toBeGreaterThan(0);
    expect(await scores('--workers', '3')).toEqual({ scores: first.scores, run: 0 });
  });

  test('keeps the trials where it is told to', async () => {
    await trial('--task', 'tiny-search', '--repeats', '1', '--keep', 'kept');
    const [id = ''] = readdirSync(path.join(folder.dir, 'kept'));
    expect(existsSync(path.join(folder.dir, 'kept', id, 'trajectory.json'))).toBe(true);
  });

  test.each([
    ['--task', 'tiny-sealed'],
    ['--role', 'sealed'],
    ['--task', 'tiny-sealed', '--role', 'sealed'],
  ])('refuses sealed tasks (%s %s) with exit code 5, and scores nothing', async (...args) => {
    const before = folder.files();
    const { code, stdout, stderr } = await trial(...args);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(/only the end of a run scores those, once.*--role validation/);
    expect(folder.files()).toEqual(before);
  });

  test.each([
    [['--task', 'tiny-serch'], /no task 'tiny-serch' \(did you mean "tiny-search"\?\)/],
    [['--role', 'seeled'], /unknown --role 'seeled' \(did you mean "sealed"\?\)/],
    [['--task', 'tiny-search', '--role', 'validation'], /'tiny-search' is a search task/],
    [['--repeats', '0'], /--repeats must be a whole number from 1 to 1000, not '0'/],
    [['--repeats', '2.5'], /--repeats must be a whole number/],
    [['--model', 'gpt-9'], /OPENAI_API_KEY is not set; set OPENAI_API_KEY/],
    [['--genome', 'nowhere'], /nowhere: no such folder/],
  ])('refuses %j in one line, and touches nothing', async (args, line) => {
    const before = folder.files();
    const { code, stdout, stderr } = await trial(...args);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(folder.files()).toEqual(before);
  });
});

describe('a measurement', () => {
  const usage = { tokensIn: 1, tokensOut: 1, usd: 0, turns: 1, jobs: 1, gpuMs: 0 };
  const scored = (score: number): Outcome => ({
    kind: 'scored',
    score,
    raw: score,
    medal: score > 0.8 ? 'gold' : 'none',
    aboveMedian: true,
    usage,
    jobs: [],
  });
  const failed: Outcome = { kind: 'failed', reason: 'no submission', usage, jobs: [] };
  const lost: Outcome = { kind: 'lost', reason: 'the endpoint is down' };
  const task = (id: string, role: Task['role'] = 'search') => ({ id, role, family: 'f' }) as Task;

  test('counts a failed trial as 0, and a lost one not at all', () => {
    expect(measureTask(task('a'), [scored(0.9), failed, lost])).toMatchObject({
      mean: 0.45,
      scores: [0.9, 0, null],
      medals: { gold: 1, silver: 0, bronze: 0 },
      valid: 1,
      lost: 1,
      reasons: ['no submission', 'the endpoint is down'],
    });
    expect(measureTask(task('a'), [lost]).mean).toBeNull();
  });

  test('weighs tasks alike, and says nothing of a role with a hole in it', () => {
    const [a, b] = [measureTask(task('a'), [scored(1), scored(1)]), measureTask(task('b'), [failed, lost])];
    const c = measureTask(task('c', 'validation'), [lost]);
    expect(measureRoles([a!, b!, c])).toEqual({ search: 0.5, validation: null });
  });
});
