import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clearSlurm } from '../../../src/jobs/slurm/backend.ts';
import { probeSlurm } from '../../../src/jobs/slurm/probe.ts';
import { tell } from '../../slurm/fake/words.ts';
import { drive, kill } from './drive.ts';
import { ask, clockOf, openWorld, SLOWER, SPEED, type World } from './world.ts';

async function inWorld(play: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await play(world);
  } finally {
    await world.close();
  }
}

/** Holds this process up until something has happened outside, for a minute at most. */
function standStill(holds: () => boolean): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 6000 && !holds(); tries++) Atomics.wait(clock, 0, 0, 10);
}

const HOUR = 3_600_000;
const kindOf = async (ran: ReturnType<typeof ask>) => (await ran).result.outcome.kind;

test.concurrent.each([
  ['submissions without an answer', 'sbatch: error: Socket timed out on send/recv operation'],
  ['times without room', 'sbatch: error: QOSMaxSubmitJobPerUserLimit'],
])('two %s, hours apart, do not add up', (_, said) =>
  inWorld(async (world) => {
    const backend = world.open({ maxPauseMs: HOUR });
    for (const name of ['a', 'b']) {
      const control = new AbortController();
      world.cluster.fault('sbatch', (act) => {
        if (said.includes('timed out')) act();
        else control.abort();
        return tell('', said);
      });
      const kind = await kindOf(ask(backend, world.spec(name), control.signal));
      expect(kind).toBe(said.includes('timed out') ? 'done' : 'cancelled');
      world.leap(HOUR);
    }
    expect(backend.halted.aborted).toBe(false);
  }),
);

test.concurrent('Slurm that was away when the last job ended, and hours later for a moment, was not away all the time', () =>
  inWorld(async (world) => {
    const backend = world.open({ maxPauseMs: HOUR });
    const gone = () => tell('', 'slurm_load_jobs error: Unable to contact slurm controller');
    world.hold('a');
    const a = ask(backend, world.spec('a'));
    await world.begun('a');
    world.cluster.broken.squeue = gone;
    await world.until(() => world.said.some((line) => /does not answer/.test(line)), 'a word about it');
    world.letGo('a');
    // The end of the last job is seen when Slurm is to be asked again: nobody waits for its answer any more.
    standStill(() => readdirSync(join(world.folder, 'ended')).length > 0);
    world.leap(60_000);
    expect(await kindOf(a)).toBe('done');
    world.leap(HOUR);
    world.cluster.broken = {};
    world.cluster.fault('squeue', gone);
    expect(await kindOf(ask(backend, world.spec('b')))).toBe('done');
    expect(backend.halted.aborted).toBe(false);
  }));

test.concurrent('a job whose cancel did not come through for long is cancelled when Slurm can', () =>
  inWorld(async (world) => {
    const backend = world.open();
    const control = new AbortController();
    world.hold('a', 'b');
    const [a, b] = [ask(backend, world.spec('a'), control.signal), ask(backend, world.spec('b'))];
    await world.begun('a', 'b');
    world.cluster.broken.scancel = () => tell('', 'scancel: error: Kill job error: Socket timed out');
    control.abort();
    await world.polls(1);
    world.leap(60_000);
    expect(await kindOf(a)).toBe('cancelled');
    await world.polls(3);
    expect(world.left()).toHaveLength(2);
    world.cluster.broken = {};
    await world.until(() => world.left().length === 1, 'the late cancel');
    world.letGo('b');
    expect(await kindOf(b)).toBe('done');
  }));

test.concurrent('a job that is asked for again while it is being cancelled harms nobody', () =>
  inWorld(async (world) => {
    const backend = world.open();
    const control = new AbortController();
    const spec = world.spec('a');
    world.hold('a');
    const first = ask(backend, spec, control.signal);
    await world.begun('a');
    control.abort();
    expect((await ask(backend, spec)).result.outcome).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('is under way'),
    });
    expect(await kindOf(first)).toBe('cancelled');
    expect(world.runs()).toEqual({ a: 1 });
  }));

test.concurrent('a job of an earlier process that had no need of a sandbox, resumed where it has', () =>
  inWorld(async (world) => {
    world.cluster.slots = 0;
    const driver = drive(world.options(), [world.spec('a')], SPEED);
    await world.polls(1);
    await kill(driver);
    const again = ask(world.open({}, { needsSandbox: true }), world.spec('a'));
    // Only then may it start, whoever asks after it: a question of the killed one may still be under way.
    const [name = ''] = readdirSync(join(world.folder, 'jobs'));
    const order = join(world.folder, 'jobs', name, 'job.json');
    const isRenewed = () => readFileSync(order, 'utf8').includes('"needsSandbox":true');
    await world.until(isRenewed, 'the order to be renewed');
    world.cluster.slots = 8;
    const { outcome } = (await again).result;
    expect(outcome).toMatchObject({ kind: 'lost', reason: expect.stringContaining('has no sandbox') });
    expect(world.runs()).toEqual({});
  }));

test.concurrent('what runs when further jobs are refused is left to a resume, which takes it over', () =>
  inWorld(async (world) => {
    world.hold('a');
    const control = new AbortController();
    const backend = world.open({}, { resumable: true });
    const first = ask(backend, world.spec('a'), control.signal);
    await world.begun('a');
    world.cluster.broken.sbatch = () => tell('', 'sbatch: error: Invalid account');
    expect(await kindOf(ask(backend, world.spec('b')))).toBe('lost');
    // What a run does then.
    control.abort();
    expect(await kindOf(first)).toBe('cancelled');
    await backend.close();
    expect(world.left()).toHaveLength(1);
    expect(world.said.at(-1)).toContain('left to whoever resumes the run');
    world.cluster.broken = {};
    const second = world.open({}, { resumable: true });
    const again = ['a', 'b'].map((name) => ask(second, world.spec(name)));
    await world.begun('b');
    world.letGo('a');
    expect(await Promise.all(again.map(kindOf))).toEqual(['done', 'done']);
    expect(world.runs()).toEqual({ a: 1, b: 1 });
    await second.close();
    expect(world.left()).toEqual([]);
  }));

test.concurrent('a killed run whose jobs fill the cluster is resumed without a further job; or cleared, and then tried out again', () =>
  inWorld(async (world) => {
    world.hold('a');
    const spec = world.spec('a');
    const driver = drive(world.options(), [spec], SPEED);
    await world.begun('a');
    // It is known by its number.
    await world.polls(1);
    await kill(driver);
    world.cluster.slots = 1;
    const limits = { jobSeconds: 60, memoryMb: 256, clock: 'cpu' as const, gpus: 0, cpus: 1 };
    const task = { id: 'one', publicDir: spec.data.dir, limits, runtime: 'node' as const, modules: [] };
    expect(await probeSlurm(world.options(), [task])).toBeNull();
    const away = { ...world.options(), programs: { squeue: `${world.dir}/no-squeue` } };
    expect(await clearSlurm(away)).toBe(false);
    expect(world.left()).toHaveLength(1);
    expect(await clearSlurm({ ...world.options(), clock: clockOf(SLOWER) })).toBe(true);
    expect(world.left()).toEqual([]);
    // Known to be over, nobody is asked any more.
    expect(await clearSlurm(away)).toBe(true);
    expect(await probeSlurm(world.options(), [task])).toMatchObject({ node: 'node7' });
  }));
