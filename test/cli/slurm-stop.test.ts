import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { which } from '../../src/jobs/sandbox/which.ts';
import { isAlive } from '../../src/jobs/slurm/states.ts';
import { type FakeCluster, openCluster } from '../slurm/fake/cluster.ts';
import { tell } from '../slurm/fake/words.ts';
import { differences, resultsOf } from './journal.ts';
import { modelWorld, type World } from './model-world.ts';

let world: World;
let cluster: FakeCluster;
let env: Record<string, string>;
beforeAll(async () => {
  world = await modelWorld(['s1', 'v1', 'f1']);
  cluster = await openCluster();
  env = { PATH: `${cluster.env.PATH}:${process.env.PATH}`, SLURM_CONF: cluster.env.SLURM_CONF! };
  writeFileSync(world.at('slurm.yaml'), 'jobs: slurm\nslurm: {poll: 300ms, batch: 100ms}\n');
  expect(await world.search('local', { model: 'offline', size: [4, 1] })).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await cluster.close();
  world.remove();
});
beforeEach(() => {
  cluster.broken = {};
});

/** A search on the pretended cluster; nothing comes from the cache. */
const search = (out: string, during?: Parameters<World['search']>[1]['during']) =>
  world.search(out, {
    ...{ model: 'offline', size: [4, 1], env, args: ['--no-job-cache', '--config', 'slurm.yaml'] },
    ...(during && { during }),
  });

/** A PATH on which there is no Slurm, also where one is installed: its programs look for their cluster for a minute. */
function withoutSlurm(): string {
  const bin = world.at('bin');
  mkdirSync(bin);
  for (const name of ['sh', 'setpriv', 'prlimit', 'bwrap', 'python3']) {
    const file = which(name);
    if (file !== null) symlinkSync(file, world.at(`bin/${name}`));
  }
  return bin;
}

const left = () => cluster.tasks.filter(({ state, child }) => isAlive(state) || child !== null);

/** The run goes on where it was stopped, by itself on Slurm, to what it would have been. */
async function goesOn(out: string): Promise<void> {
  expect(await world.resume(out, { env })).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('jobs run on Slurm'),
  });
  expect(differences(resultsOf(world.at('local')), resultsOf(world.at(out)))).toEqual([]);
  expect(left()).toEqual([]);
}

test('an account that is refused midway stops the run with exit 4 and the reason, and it can be resumed', async () => {
  let arrays = 0;
  cluster.broken.sbatch = (act, { args }) => {
    arrays += args.includes('--test-only') ? 0 : 1;
    // The small first job, and an array; finals and sealed tasks take another each, however few the search came to.
    return arrays <= 2 ? act() : tell('', 'sbatch: error: Batch job submission failed: Invalid account');
  };
  const ran = await search('refused');
  expect(ran).toMatchObject({
    code: 4,
    stderr: expect.stringMatching(/Slurm refuses jobs: .*Invalid account/),
  });
  expect(ran.stderr).toMatch(/evolve: .*`slurm` \(partition, account/i);
  cluster.broken = {};
  await goesOn('refused');
});

test('Ctrl-C cancels the jobs, and the run can be resumed', async () => {
  const before = cluster.tasks.length;
  const ran = await search('interrupted', (child) => {
    const timer = setInterval(() => {
      if (cluster.tasks.length < before + 4) return;
      clearInterval(timer);
      child.kill('SIGINT');
    }, 20);
    child.once('exit', () => clearInterval(timer));
  });
  expect(ran.code).toBe(130);
  expect(left()).toEqual([]);
  await goesOn('interrupted');
});

test('an account that is refused from the start is told before the search begins', async () => {
  cluster.broken.sbatch = () => tell('', 'sbatch: error: Batch job submission failed: Invalid account');
  expect(await search('never')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Invalid account'),
  });
  expect(left()).toEqual([]);
  // It is no run that somebody would try to resume.
  expect(existsSync(world.at('never'))).toBe(false);
});

test('a killed run is gone on with on this machine, and what it left on Slurm is cancelled', async () => {
  const before = cluster.tasks.length;
  cluster.slots = 8;
  const ran = await search('moved', (child) => {
    const timer = setInterval(() => {
      if (cluster.tasks.length < before + 4) return;
      clearInterval(timer);
      cluster.slots = 0;
      child.kill('SIGKILL');
    }, 20);
    child.once('exit', () => clearInterval(timer));
  });
  expect(ran.code).not.toBe(0);
  const args = ['--jobs', 'local'];
  const away = { ...env, PATH: withoutSlurm(), SLURM_CONF: '/nowhere' };
  if (left().length > 0)
    expect(await world.resume('moved', { env: away, args })).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('may be left on Slurm'),
    });
  expect(await world.resume('moved', { env, args })).toMatchObject({ code: 0 });
  expect(left()).toEqual([]);
  expect(differences(resultsOf(world.at('local')), resultsOf(world.at('moved')))).toEqual([]);
  cluster.slots = 8;
});

test('a run of this machine is gone on with on Slurm', async () => {
  const before = cluster.tasks.length;
  const args = ['--jobs', 'slurm', '--generations', '2', '--no-job-cache'];
  expect(await world.resume('local', { env, args })).toMatchObject({ code: 0 });
  expect(cluster.tasks.length).toBeGreaterThan(before + 1);
  expect(left()).toEqual([]);
});
