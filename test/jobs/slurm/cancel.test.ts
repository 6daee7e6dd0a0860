import { describe, expect, test } from 'vitest';
import { tell } from '../../slurm/fake/words.ts';
import { ask, clockOf, isOurs, openWorld, SLOWER, type World } from './world.ts';

type Phase = {
  name: string;
  before?(world: World): void;
  /** Resolves when the jobs are to be cancelled. */
  reached(world: World): Promise<void>;
};

const phases: Phase[] = [
  { name: 'before they are submitted', reached: async () => {} },
  {
    name: 'while they are submitted',
    before(world) {
      world.cluster.fault('sbatch', async (act) => {
        await world.until(() => world.said.includes('cancelled'), 'the cancel');
        return act();
      });
    },
    reached: ({ cluster, until }) =>
      until(() => cluster.calls.some(({ program }) => program === 'sbatch'), 'a submission'),
  },
  {
    name: 'while nobody knows whether they were submitted',
    before: ({ cluster }) =>
      cluster.fault('sbatch', (act) => {
        act();
        return tell(
          '',
          'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation',
        );
      }),
    reached: (world) => world.begun('a', 'b'),
  },
  {
    name: 'while they wait',
    before: ({ cluster }) => {
      cluster.slots = 0;
    },
    reached: (world) => world.polls(1),
  },
  { name: 'while they run', reached: (world) => world.begun('a', 'b') },
  {
    name: 'while scancel does not work at first',
    before: ({ cluster }) =>
      cluster.fault(
        'scancel',
        () => tell('', 'scancel: error: Kill job error: Socket timed out'),
        () => ({
          ...tell(''),
          signal: 'SIGKILL',
        }),
      ),
    reached: (world) => world.begun('a', 'b'),
  },
  {
    name: 'while Slurm is away for a moment',
    before({ cluster }) {
      const gone = () => tell('', 'error: Unable to contact slurm controller (connect failure)');
      cluster.fault('scancel', gone);
      cluster.fault('squeue', gone);
    },
    reached: (world) => world.begun('a', 'b'),
  },
];

describe.concurrent.each(['their signals', 'the end of the run'] as const)('jobs cancelled by %s', (way) => {
  test.each(phases)('$name: none is left, and none of others is touched', async (phase) => {
    const world = await openWorld();
    try {
      const { cluster } = world;
      const others = [
        cluster.stranger('evolve-test2-abc', 'RUNNING'),
        cluster.stranger('evolve-tes', 'RUNNING'),
      ];
      phase.before?.(world);
      world.hold('a', 'b');
      const backend = world.open({}, { clock: clockOf(SLOWER) });
      const control = new AbortController();
      const asked = ['a', 'b'].map((name) => ask(backend, world.spec(name), control.signal));
      await phase.reached(world);
      world.said.push('cancelled');
      // A runner aborts first, and then closes.
      control.abort();
      const closed = way === 'the end of the run' ? backend.close() : null;
      const ran = await Promise.all(asked);
      expect(ran.map(({ result }) => result.outcome.kind)).toEqual(['cancelled', 'cancelled']);
      if (closed === null) expect(world.left()).toEqual([]);
      await (closed ?? backend.close());
      expect(world.left()).toEqual([]);
      expect(others.map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING']);
      expect(Math.max(0, ...Object.values(world.runs()))).toBeLessThanOrEqual(1);
    } finally {
      await world.close();
    }
  });
});

test('of two jobs in one array, the one that is cancelled', async () => {
  const world = await openWorld();
  try {
    world.hold('a', 'b');
    const backend = world.open({}, { clock: clockOf(SLOWER) });
    const control = new AbortController();
    const [a, b] = [ask(backend, world.spec('a'), control.signal), ask(backend, world.spec('b'))];
    await world.begun('a', 'b');
    control.abort();
    expect((await a).result.outcome.kind).toBe('cancelled');
    expect(world.left()).toHaveLength(1);
    world.letGo('b');
    expect((await b).result.outcome.kind).toBe('done');
    await world.until(() => world.left().length === 0, 'its task to end');
    expect(world.cluster.tasks.filter(isOurs).map(({ state }) => state)).toEqual(['CANCELLED', 'COMPLETED']);
  } finally {
    await world.close();
  }
});
