import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Backend, JobNews } from '../../src/jobs/backend.ts';
import { identify } from '../../src/jobs/identify.ts';
import type { JobSpec } from '../../src/jobs/job.ts';
import { slurmBackend } from '../../src/jobs/slurm/backend.ts';
import { probeSlurm } from '../../src/jobs/slurm/probe.ts';
import { type SlurmOptions, type SlurmSettings, slurmDefaults } from '../../src/jobs/slurm/settings.ts';
import { drive, kill } from '../jobs/slurm/drive.ts';
import { until } from '../jobs/slurm/world.ts';
import { call, realSlurm } from './real-slurm.ts';

const { env, absent } = realSlurm();
/** Waits until it is let go. */
const WAITS = `const { existsSync } = await import('node:fs');
while (!existsSync('data/go')) await new Promise((done) => setTimeout(done, 50));`;

if (absent) console.warn(`SKIPPED, jobs on a real Slurm: ${absent}`);

describe.skipIf(env === null)(`jobs on a real Slurm${absent && ` (skipped: ${absent})`}`, () => {
  let dir: string;
  let backends: Backend[];
  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'evolve-real-')));
    backends = [];
  });
  afterEach(async () => {
    await Promise.all(backends.map((backend) => backend.close()));
    expect(ours()).toEqual([]);
    rmSync(dir, { recursive: true, force: true });
  });

  /** Names the jobs of one test among all that use this Slurm. */
  const runName = () => `real${dir.slice(-6).toLowerCase()}`;

  const options = (settings: Partial<SlurmSettings> = {}): SlurmOptions => ({
    ...{ folder: join(dir, 'shared'), run: runName(), hidden: [], env: { ...env } },
    settings: { ...slurmDefaults, pollMs: 500, batchMs: 200, ...settings },
  });

  const open = (settings?: Partial<SlurmSettings>): Backend => {
    const backend = slurmBackend(options(settings));
    backends.push(backend);
    return backend;
  };

  const job = (main: string, change: Partial<JobSpec> = {}): JobSpec => {
    const folder = mkdtempSync(join(dir, 'job-'));
    writeFileSync(join(folder, 'main.mjs'), main);
    return {
      ...{
        command: ['node', 'main.mjs'],
        folder,
        data: { dir: mkdtempSync(join(dir, 'data-')), hash: 'data-1' },
        outputs: ['out.txt'],
      },
      ...{ limits: { seconds: 60, memoryMb: 256, outputBytes: 4096 }, gpus: 0, ...change },
    };
  };

  const ask = (
    backend: Backend,
    spec: JobSpec,
    news: JobNews[] = [],
    signal = new AbortController().signal,
  ) => backend.run({ spec, identity: identify(spec), signal, tell: (one) => news.push(one) });

  /** Lets a job end that waits. */
  const letGo = ({ data }: JobSpec) => writeFileSync(join(data.dir, 'go'), '');

  /** Tasks of this test that wait or run, with their states. */
  const ours = (): string[] =>
    call('squeue', ['--noheader', '--array', '--format=%j %T'], env!)
      .split('\n')
      .filter((line) => line.startsWith(`evolve-${runName()}-`));

  /** Jobs of others may go first. */
  const running = (count: number) =>
    until(
      () => ours().filter((line) => line.endsWith(' RUNNING')).length === count,
      `${count} jobs to run`,
      240,
    );

  test('a small job shows what the node has', async () => {
    const limits = { jobSeconds: 60, memoryMb: 256, clock: 'cpu' as const, gpus: 0, cpus: 1 };
    const task = {
      id: 'one',
      publicDir: join(import.meta.dirname),
      limits,
      runtime: 'node' as const,
      modules: [],
    };
    expect(await probeSlurm(options(), [task])).toMatchObject({ nodeVersion: process.versions.node });
  });

  test('many give their results, and what they print is told while they run', async () => {
    const backend = open();
    const news: JobNews[] = [];
    const specs = Array.from({ length: 12 }, (_, i) =>
      job(
        `(await import('node:fs')).writeFileSync('out.txt', 'file ${i}'); console.log('job ${i}');${i === 0 ? WAITS : ''}`,
      ),
    );
    const running = Promise.all(specs.map((spec, i) => ask(backend, spec, i === 0 ? news : [])));
    await until(() => news.some(({ kind }) => kind === 'output'), 'its words');
    letGo(specs[0]!);
    const ran = await running;
    for (const [i, { result, slot, waitMs }] of ran.entries()) {
      expect(result.outcome).toMatchObject({ kind: 'done', log: `job ${i}\n` });
      expect(result.files).toEqual([{ path: 'out.txt', text: `file ${i}` }]);
      expect(slot).toMatch(/^slurm \d+_\d+ \S+$/);
      expect(waitMs).toBeGreaterThan(0);
    }
    expect(news).toEqual([
      { kind: 'started', slot: ran[0]!.slot },
      { kind: 'output', text: 'job 0\n' },
    ]);
  });

  test('GPUs: each job sees its own, and two that want all of them follow one another', async () => {
    const backend = open();
    const main = (mark: number) =>
      `const at = Date.now(); await new Promise((done) => setTimeout(done, 700));
       console.log(JSON.stringify([process.env.CUDA_VISIBLE_DEVICES, at, Date.now(), ${mark}]));`;
    const run = async (gpus: number, mark: number) => {
      const { result } = await ask(backend, job(main(mark), { gpus }));
      expect(result.outcome).toMatchObject({ kind: 'done' });
      return JSON.parse(result.outcome.log) as [string, number, number, number];
    };
    const ran = await Promise.all([run(1, 1), run(1, 2), run(2, 3), run(2, 4)]);
    expect(ran.map(([seen]) => seen.length)).toEqual([1, 1, 3, 3]);
    for (const [seen, from, to, mark] of ran) {
      const beside = ran.filter((other) => other[3] !== mark && other[1] < to && from < other[2]);
      expect(
        beside.flatMap(([theirs]) => theirs.split(',')).filter((gpu) => seen.split(',').includes(gpu)),
      ).toEqual([]);
    }
  });

  test('cancelled jobs are gone from the queue, and the others go on', async () => {
    const backend = open();
    const control = new AbortController();
    const specs = [job(WAITS), job(`${WAITS}\n`)] as const;
    const cut = ask(backend, specs[0], [], control.signal);
    const kept = ask(backend, specs[1]);
    await running(2);
    control.abort();
    expect((await cut).result.outcome.kind).toBe('cancelled');
    await running(1);
    letGo(specs[1]);
    expect((await kept).result.outcome.kind).toBe('done');
  });

  test('after kill -9 the jobs go on, and whoever resumes has what they give, once', async () => {
    const specs = [job(WAITS), job(`${WAITS}\n`)];
    const driver = drive(options(), specs, 1);
    await running(2).finally(() => kill(driver));
    for (const spec of specs) letGo(spec);
    const backend = open();
    const ran = await Promise.all(specs.map((spec) => ask(backend, spec)));
    expect(ran.map(({ result }) => result.outcome.kind)).toEqual(['done', 'done']);
    const submitted = readFileSync(join(dir, 'shared', 'submissions.jsonl'), 'utf8').match(/"intent"/g);
    expect(submitted).toHaveLength(1);
  });

  test('a job whose time on the clock is over', async () => {
    const limits = { seconds: 2, memoryMb: 256, outputBytes: 4096 };
    const { result } = await ask(open(), job('setInterval(() => {}, 1000);', { limits, clock: 'wall' }));
    expect(result.outcome.kind).toBe('timeout');
  });

  test.each([
    ['a partition that refuses the account', { partition: 'closed' }, /Invalid account/],
    ['a partition that does not exist', { partition: 'nowhere' }, /nvalid partition/],
    ['more time than the partition gives', { partition: 'short' }, /time limit is invalid/],
    ['more GPUs than there are', { extra: ['--gres=gpu:9'] }, /not available/],
  ])('%s: no further job can run, and it is said why', async (_, settings, message) => {
    const backend = open(settings);
    expect((await ask(backend, job(''))).result.outcome).toMatchObject({
      kind: 'lost',
      reason: expect.stringMatching(message),
    });
    expect(backend.halted.reason).toMatchObject({ hint: expect.stringContaining('slurm') });
  });
});
