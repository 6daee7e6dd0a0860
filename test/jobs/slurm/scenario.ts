import { expect } from 'vitest';
import type { JobOutcome, JobSpec } from '../../../src/jobs/job.ts';
import type { SlurmSettings } from '../../../src/jobs/slurm/settings.ts';
import type { FakeTask } from '../../slurm/fake/cluster.ts';
import { ask, openWorld, SPEED, type World } from './world.ts';

/** What a cluster does to some jobs, and what becomes of these. */
export type Scenario = {
  name: string;
  /** Jobs that are asked for at once, and what is special of them; two plain ones unless told. */
  jobs?: Record<string, Partial<JobSpec> & { main?: string }>;
  settings?: Partial<SlurmSettings>;
  /** How long programs may take, ms of real time. */
  deadlineMs?: number;
  /** Before anything is asked for. */
  before?(world: World): void;
  /** While the jobs are under way. */
  during?(world: World): Promise<void>;
  /** The outcome of each job, or of all. */
  gives: JobOutcome['kind'] | Record<string, JobOutcome['kind']>;
  /** What the outcomes say of why, one after the other, where they are lost. */
  because?: RegExp;
  /** Asked for again, those that were lost give this. */
  again?: JobOutcome['kind'];
  /** How often each job has run, or all of them; once unless told. */
  runs?: number | Record<string, number>;
  /** Why no further job can run. */
  halted?: RegExp;
  /** Something that is said to people. */
  says?: RegExp;
  /** Tasks of ours that cannot be cancelled; none unless told. */
  left?: number;
  after?(world: World): void;
};

/**
 * Plays a scenario. Beside what it says: a job that is done has its file; of other people's jobs none is touched; none
 * of ours is left; no more than one submission a second; and what runs twice is named by the scenario.
 */
export async function play(scenario: Scenario): Promise<void> {
  const world = await openWorld();
  try {
    const others = submitOthers(world);
    scenario.before?.(world);
    const backend = world.open(scenario.settings, { deadlineMs: scenario.deadlineMs ?? 20_000 });
    const names = Object.keys(scenario.jobs ?? { a: {}, b: {} });
    const specs = names.map((name) => {
      const { main, ...change } = scenario.jobs?.[name] ?? {};
      return world.spec(name, change, main);
    });
    const asked = Promise.all(specs.map((spec) => ask(backend, spec)));
    await scenario.during?.(world);
    const first = await asked;
    const { gives, because } = scenario;
    const kinds = Object.fromEntries(names.map((name, i) => [name, first[i]!.result.outcome.kind]));
    const reasons = first.map(({ result: { outcome } }) => (outcome.kind === 'lost' ? outcome.reason : ''));
    expect(kinds, reasons.join()).toEqual(typeof gives === 'string' ? forAll(names, gives) : gives);
    if (because) expect(reasons.join()).toMatch(because);
    for (const [i, { result }] of first.entries()) {
      if (
        result.outcome.kind !== 'done' ||
        specs[i]!.outputs.length === 0 ||
        scenario.jobs?.[names[i]!]?.main !== undefined
      )
        continue;
      expect(result.files).toEqual([{ path: 'out.txt', text: `${names[i]} is done` }]);
      expect(result.outcome.log).toBe(`said by ${names[i]}\n`);
    }
    if (scenario.again) {
      const lost = specs.filter((_, i) => first[i]!.result.outcome.kind === 'lost');
      const second = await Promise.all(lost.map((spec) => ask(backend, spec)));
      expect(second.map(({ result }) => result.outcome.kind)).toEqual(lost.map(() => scenario.again));
    }
    if (scenario.halted) {
      expect(backend.halted.reason).toMatchObject({
        message: expect.stringMatching(scenario.halted),
        hint: expect.stringMatching(/./),
      });
    } else expect(backend.halted.aborted).toBe(false);
    if (scenario.says) expect(world.said.join('\n')).toMatch(scenario.says);
    await backend.close();
    const { runs = 1 } = scenario;
    expect(world.runs()).toEqual(typeof runs === 'number' ? forAll(names, runs) : runs);
    expect(world.left()).toHaveLength(scenario.left ?? 0);
    expect(others.map(({ state }) => state)).toEqual(['RUNNING', 'PENDING', 'RUNNING']);
    expect(submissionGaps(world).filter((ms) => ms < 1000)).toEqual([]);
    scenario.after?.(world);
  } finally {
    await world.close();
  }
}

/** Jobs of others: of the same user in another run, whose names begin alike; and of another user, under our very name. */
function submitOthers({ cluster }: World): FakeTask[] {
  return [
    cluster.stranger('evolve-test2-abc', 'RUNNING'),
    cluster.stranger('my-evolve-test-job', 'PENDING'),
    cluster.stranger('evolve-test-0123456789ab', 'RUNNING', 4711),
  ];
}

/** The time between submissions, ms of the backend's clock. */
function submissionGaps({ cluster }: World): number[] {
  const at = cluster.calls.filter(({ program }) => program === 'sbatch').map((call) => call.at * SPEED);
  return at.slice(1).map((ms, i) => Math.round(ms - at[i]!));
}

function forAll<T>(names: readonly string[], value: T): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, value]));
}
