import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPython } from '../../../src/jobs/sandbox/python.ts';
import { which } from '../../../src/jobs/sandbox/which.ts';
import { type ProbeTask, probeSlurm } from '../../../src/jobs/slurm/probe.ts';
import { tell } from '../../slurm/fake/words.ts';
import { isOurs, openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

function task(change: Partial<ProbeTask['limits']> = {}): ProbeTask {
  const limits = { jobSeconds: 60, memoryMb: 256, clock: 'cpu' as const, gpus: 0, cpus: 1, ...change };
  return { id: 'one', publicDir: join(world.dir, 'data'), limits, runtime: 'node', modules: [] };
}

const probe = (tasks = [task()], signal?: AbortSignal) => probeSlurm(world.options(), tasks, signal);
const started = () => world.cluster.tasks.filter((one) => isOurs(one));

test('a small job tells what a node has, and is gone', async () => {
  expect(await probe()).toMatchObject({
    node: 'node7',
    nodeVersion: process.versions.node,
    sandbox: { level: 'none' },
  });
  expect(started()).toHaveLength(1);
  await world.until(() => world.left().length === 0, 'the small job to end');
});

test('a node that has another folder under that name', async () => {
  world.cluster.onTask = ({ submission }) => {
    const here = join(world.folder, 'probe');
    const there = join(world.dir, 'elsewhere');
    mkdirSync(there, { recursive: true });
    submission.script = submission.script.map((arg) => (arg === here ? there : arg));
  };
  await expect(probe()).rejects.toMatchObject({
    name: 'UserError',
    exitCode: 2,
    message: `node node7 does not see the folder ${world.folder}`,
    hint: expect.stringContaining('share'),
  });
  expect(world.left()).toEqual([]);
});

test('a node that does not have the data', async () => {
  world.cluster.onTask = () => rmSync(join(world.dir, 'data'), { recursive: true });
  await expect(probe()).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^on node node7: .*data cannot be read/),
  });
});

test('a task that asks for more than there is', async () => {
  world.cluster.fault('sbatch', () =>
    tell('', 'allocation failure: Requested node configuration is not available'),
  );
  await expect(probe([task({ gpus: 9 })])).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/task one.*Requested node configuration is not available/),
  });
  expect(started()).toEqual([]);
});

test('a task that asks for more than one job may have', async () => {
  const policy = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
  world.cluster.fault('sbatch', () => tell('', `sbatch: error: Batch job submission failed: ${policy}`));
  await expect(probe()).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/task one.*policy/),
  });
  world.cluster.fault('sbatch', () =>
    tell('', `sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: ${policy}`),
  );
  expect(await probe()).not.toBeNull();
});

test('no GPU is asked for by the small job, but where nothing else is taken', async () => {
  await probe([task({ gpus: 2 })]);
  world.cluster.broken.sbatch = (act, { args }) =>
    args.some((arg) => arg.startsWith('--gres'))
      ? act()
      : tell('', 'sbatch: error: Invalid generic resource (gres) specification');
  await probe([task({ gpus: 2 })]);
  expect(started().map(({ submission }) => submission.gpus)).toEqual([0, 2]);
});

test('while it plainly waits its turn there is no end to patience', async () => {
  const options = world.options({ maxPauseMs: 600_000 });
  world.cluster.slots = 0;
  world.cluster.onTask = (one) => Object.assign(one, { reason: 'Priority' });
  const probed = probeSlurm(options, [task()]);
  for (let i = 0; i < 3; i++) {
    await world.polls(2);
    world.leap(540_000);
  }
  await world.polls(1);
  world.cluster.slots = 8;
  world.cluster.schedule();
  expect(await probed).toMatchObject({ node: 'node7' });
  expect(world.said.filter((line) => line.includes('PENDING (Priority)'))).toHaveLength(1);
});

test.skipIf(which('python3') === null)(
  'a node that has another Python, or another version of a module, than this machine (skipped without Python)',
  async () => {
    const other = join(world.dir, 'python3');
    const onPython = [{ ...task(), runtime: 'python' as const }];
    const asks = () =>
      probeSlurm({ ...world.options(), env: { ...world.cluster.env, EVOLVE_PYTHON: other } }, onPython);
    const answers = (version: string) =>
      writeFileSync(
        other,
        `#!/bin/sh\necho '["${which('python3')}", "${version}", ["/usr", "/usr", "/usr", "/usr"], []]'\n`,
        { mode: 0o755 },
      );
    answers('2.7.18');
    await expect(asks()).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^node node7 has Python 2\.7, this machine 3\./),
    });
    answers((await findPython()).python?.version ?? '');
    expect(await asks()).toMatchObject({ node: 'node7' });
  },
);

test('an account that is refused', async () => {
  world.cluster.broken.sbatch = () =>
    tell(
      '',
      'sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified',
    );
  await expect(probe()).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('Invalid account'),
    hint: expect.stringContaining('account'),
  });
});

test('a partition that starts nothing', async () => {
  world.cluster.onTask = (one) =>
    Object.assign(one, { reason: 'PartitionDown', shows: Array(100).fill('PENDING') });
  await expect(probe()).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('PartitionDown'),
  });
  await world.until(() => world.left().length === 0, 'the small job to be cancelled');
});

test('a cluster that is away', async () => {
  const gone = () => tell('', 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)');
  for (const program of ['sbatch', 'squeue', 'scontrol', 'scancel'] as const)
    world.cluster.broken[program] = gone;
  await expect(probe()).rejects.toMatchObject({
    exitCode: 4,
    message: expect.stringContaining('Unable to contact'),
  });
});

test('no Slurm at all', async () => {
  const options = { ...world.options(), programs: { squeue: join(world.dir, 'no-squeue') } };
  await expect(probeSlurm(options, [task()])).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('no Slurm on this machine'),
  });
});

test('called off while it waits: the small job is cancelled', async () => {
  world.cluster.slots = 0;
  const control = new AbortController();
  const probed = probe([task()], control.signal);
  const failed = expect(probed).rejects.toThrow();
  await world.until(() => started().length === 1, 'the small job');
  await world.polls(1);
  control.abort();
  await failed;
  await world.until(() => world.left().length === 0, 'the small job to be cancelled');
});
