import type { ChildProcess } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { drive, kill } from './drive.ts';
import { ask, clockOf, isOurs, openWorld, SLOWER, SPEED, type World } from './world.ts';

type Phase = {
  name: string;
  /** Before the driver is started. */
  before?(world: World): void;
  /** Resolves when the driver is to be killed. */
  reached(world: World): Promise<void>;
  /** Once it is gone. */
  after?(world: World): void;
};

const calls = (world: World, program: string) =>
  world.cluster.calls.filter((call) => call.program === program).length;

const phases: Phase[] = [
  {
    name: 'before it has submitted anything',
    before: ({ cluster }) => cluster.fault('sbatch', () => null),
    reached: (world) => world.until(() => calls(world, 'sbatch') === 1, 'a submission'),
  },
  {
    name: 'before it has heard that its submission worked',
    before: ({ cluster }) =>
      cluster.fault('sbatch', (act) => {
        act();
        return null;
      }),
    reached: (world) => world.begun('a', 'b'),
  },
  {
    name: 'while its jobs wait',
    before: ({ cluster }) => {
      cluster.slots = 0;
    },
    reached: (world) => world.polls(1),
    after({ cluster }) {
      cluster.slots = 8;
      cluster.schedule();
    },
  },
  {
    name: 'while its jobs run',
    before: (world) => world.hold('a', 'b'),
    reached: (world) => world.begun('a', 'b'),
    after: (world) => world.letGo('a', 'b'),
  },
  {
    name: 'while one runs and another has ended',
    before: (world) => world.hold('b'),
    async reached(world) {
      await world.begun('a', 'b');
      const [a] = world.cluster.tasks.filter(isOurs);
      await world.ended(a!);
      await world.polls(1);
    },
    after: (world) => world.letGo('b'),
  },
];

/** A driver of jobs a and b, killed in this phase. */
async function killed(phase: Phase, world: World): Promise<void> {
  phase.before?.(world);
  let driver: ChildProcess | undefined;
  try {
    driver = drive(world.options(), [world.spec('a'), world.spec('b')], SPEED);
    await phase.reached(world);
  } finally {
    if (driver) await kill(driver);
  }
}

describe.concurrent('a run that was killed', () => {
  test.each(phases)('$name: it goes on with the jobs that are there', async (phase) => {
    const world = await openWorld();
    try {
      await killed(phase, world);
      phase.after?.(world);
      const backend = world.open();
      const ran = await Promise.all(['a', 'b'].map((name) => ask(backend, world.spec(name))));
      expect(ran.map(({ result }) => result.outcome.kind)).toEqual(['done', 'done']);
      expect(ran.map(({ result }) => result.files)).toEqual([
        [{ path: 'out.txt', text: 'a is done' }],
        [{ path: 'out.txt', text: 'b is done' }],
      ]);
      await backend.close();
      expect(world.runs()).toEqual({ a: 1, b: 1 });
      expect(world.left()).toEqual([]);
    } finally {
      await world.close();
    }
  });

  test.each(phases)('$name: ended without its jobs, it leaves none', async (phase) => {
    const world = await openWorld();
    try {
      const stranger = world.cluster.stranger('evolve-test2-abc', 'RUNNING');
      await killed(phase, world);
      await world.open({}, { clock: clockOf(SLOWER) }).close();
      expect(world.left()).toEqual([]);
      expect(stranger.state).toBe('RUNNING');
    } finally {
      await world.close();
    }
  });

  test('and whose jobs have ended meanwhile and are forgotten has their results', async () => {
    const world = await openWorld();
    try {
      world.hold('a', 'b');
      const driver = drive(world.options(), [world.spec('a'), world.spec('b')], SPEED);
      await world.begun('a', 'b');
      await kill(driver);
      world.letGo('a', 'b');
      await world.until(() => world.left().length === 0, 'jobs to end');
      for (const task of world.cluster.tasks.filter(isOurs)) task.forgotten = true;
      const backend = world.open();
      const ran = await Promise.all(['a', 'b'].map((name) => ask(backend, world.spec(name))));
      expect(ran.map(({ result }) => result.outcome.kind)).toEqual(['done', 'done']);
      expect(world.runs()).toEqual({ a: 1, b: 1 });
    } finally {
      await world.close();
    }
  });
});
