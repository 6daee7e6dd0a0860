import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { jobLedger } from '../../src/agent/job-tools.ts';
import type { AgentHost } from '../../src/agent/run-agent.ts';
import { openWorkspace } from '../../src/agent/workspace.ts';
import type { Metric, PruneRule } from '../../src/jobs/curve.ts';
import type { JobOutcome, JobSpec } from '../../src/jobs/job.ts';
import { protect } from '../../src/secrets.ts';
import type { Task } from '../../src/suite/suite.ts';
import { syntheticSuite } from '../fixtures/synthetic-world.ts';

const prune: PruneRule = { metric: 'loss', direction: 'min', limits: [{ step: 1, value: 1 }], hash: 'c0' };
const metrics = (value: number): Metric[] => [{ name: 'loss', step: 1, value }];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
  for (const name of ['public', 'trial']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'public/sample_submission.csv'), 'id,target\n1,0\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The jobs of a trial on a task that compares them; `ends` says what each gives, and what it wrote. */
function trial(
  ends: { outcome: Partial<JobOutcome>; submission?: string }[],
  rule: PruneRule | undefined = prune,
  env: string[] = [],
  limits: Partial<Task['limits']> = {},
) {
  const [plain] = syntheticSuite({ search: 1, validation: 0, sealed: 0 }).tasks;
  const task: Task = {
    ...plain!,
    publicDir: join(dir, 'public'),
    prune: { metric: 'loss', direction: 'min' },
    env,
    limits: { ...plain!.limits, ...limits },
  };
  const folders = {
    trial: join(dir, 'trial'),
    work: join(dir, 'work'),
    data: task.publicDir,
    attempts: join(dir, 'attempts'),
  };
  const asked: JobSpec[] = [];
  const host = {
    prune: rule,
    async job(spec: JobSpec) {
      const { outcome, submission } = ends[asked.length]!;
      asked.push(spec);
      rmSync(join(folders.work, 'submission.csv'), { force: true });
      if (submission !== undefined) writeFileSync(join(folders.work, 'submission.csv'), submission);
      return { identity: `job-${asked.length}`, outcome: { log: '', ms: 1, outputs: [], ...outcome } };
    },
  } as unknown as AgentHost;
  const workspace = openWorkspace(folders, task);
  return { asked, folders, workspace, jobs: jobLedger(task, host, workspace, folders, 9, () => 1) };
}

const done = (value: number) => ({ outcome: { kind: 'done', metrics: metrics(value) } as const });
const valid = (value: number) => ({ ...done(value), submission: `id,target\n1,${value}\n` });
const stopped = { outcome: { kind: 'pruned', step: 3, log: 'half way\n', metrics: metrics(9) } as const };

describe('the trainings of a trial', () => {
  test('are under the rule once there is a submission to fall back on; other commands never are', async () => {
    const { asked, jobs } = trial([
      { outcome: { kind: 'failed', exitCode: 1 } },
      done(7),
      valid(5),
      done(0),
      valid(4),
    ]);
    for (let i = 0; i < 3; i++) await jobs.train();
    await jobs.run(['ls']);
    await jobs.train();
    expect(asked.map((spec) => spec.prune)).toEqual([undefined, undefined, undefined, undefined, prune]);
  });

  test('that are stopped leave the submission as it was; the agent is told, and goes on', async () => {
    const { jobs, folders } = trial([valid(5), stopped, valid(4)]);
    await jobs.train();
    expect(await jobs.train()).toEqual({
      text: 'half way\nerror: stopped early: earlier runs had done better by then',
      error: true,
    });
    expect(readFileSync(join(folders.trial, 'submission.csv'), 'utf8')).toBe('id,target\n1,5\n');
    expect(existsSync(join(folders.work, 'submission.csv'))).toBe(false);
    expect(await jobs.train()).toMatchObject({ scored: true });
    expect(jobs.record().jobs).toEqual(['job-1', 'job-2', 'job-3']);
  });

  test('give the curve of the first that was whole and valid, with a rule or without', async () => {
    for (const rule of [prune, undefined]) {
      const { jobs } = trial([done(7), valid(5), valid(1)], rule);
      await jobs.train();
      expect(jobs.record()).not.toHaveProperty('curve');
      for (let i = 0; i < 2; i++) await jobs.train();
      expect(jobs.record().curve).toEqual([{ step: 1, value: 5 }]);
      rmSync(join(dir, 'trial/submission.csv'));
    }
  });
});

test('the files of an attempt that gave a submission stay as they were then, whatever is written later', async () => {
  const { jobs, workspace } = trial([valid(5), valid(4)]);
  expect(() => workspace.read('attempts/1/main.mjs')).toThrow('no file');
  workspace.write('main.mjs', 'first');
  await jobs.train();
  workspace.write('main.mjs', 'second');
  workspace.write('model.mjs', 'new');
  expect(workspace.read('attempts/1/main.mjs')).toBe('first');
  expect(workspace.read('attempts/1/submission.csv')).toBe('id,target\n1,5\n');
  await jobs.train();
  expect(workspace.read('attempts/1/main.mjs')).toBe('second');
  expect(workspace.read('main.mjs')).toBe('second');
  expect(workspace.read('attempts/1/submission.csv')).toBe('id,target\n1,4\n');
});

test('a job is given the variables that its task asks for, but none with a secret in it', async () => {
  vi.stubEnv('EVOLVE_TEST_PLACE', 'here').stubEnv(
    'EVOLVE_TEST_PROXY',
    'http://me:hunter2-swordfish-9@proxy:3128',
  );
  const { asked, jobs } = trial([done(1)], undefined, [
    'EVOLVE_TEST_PLACE',
    'EVOLVE_TEST_PROXY',
    'EVOLVE_TEST_NONE',
  ]);
  protect([]);
  await jobs.run(['ls']);
  vi.unstubAllEnvs();
  expect(asked[0]?.env).toEqual({ EVOLVE_TEST_PLACE: 'here' });
});

test('a core that the task asks for is asked for beside GPUs; else it is what a job takes anyway', async () => {
  const cpus = async (limits: Partial<Task['limits']>) => {
    const { asked, jobs } = trial([valid(1)], undefined, [], limits);
    await jobs.train();
    return asked[0]?.cpus;
  };
  expect(await cpus({ gpus: 1, cpus: 1 })).toBe(1);
  expect([await cpus({ gpus: 1 }), await cpus({ gpus: 0, cpus: 1 })]).toEqual([undefined, undefined]);
});
