import type { Scenario } from './scenario.ts';
import { isOurs, type World } from './world.ts';

/** Ends both jobs while they run, in this state. */
function endedAs(state: string): Pick<Scenario, 'before' | 'during'> {
  return allEnded(['a', 'b'], () => state);
}

/** Ends these jobs while they run, each in its state by its place in the array. */
function allEnded(names: string[], stateOf: (index: number) => string): Pick<Scenario, 'before' | 'during'> {
  return {
    before: (world) => world.hold(...names),
    async during(world) {
      await world.begun(...names);
      await Promise.all(ours(world).map((task) => world.cluster.end(task, stateOf(task.index))));
      world.letGo(...names);
    },
  };
}

function ours({ cluster }: World) {
  return cluster.tasks.filter(isOurs);
}

const taken = ['CANCELLED', 'NODE_FAIL', 'PREEMPTED', 'BOOT_FAIL', 'LAUNCH_FAILED', 'REVOKED', 'DEADLINE'];
const noResult = "process.kill(process.ppid, 'SIGKILL');";

/** How jobs end, and what that means. */
export const endings: Scenario[] = [
  ...taken.map(
    (state): Scenario => ({
      name: `${state}: lost, and run anew when it is asked for again`,
      ...endedAs(state),
      gives: 'lost',
      because: new RegExp(`\\(${state}\\)`),
      again: 'done',
      runs: 2,
    }),
  ),
  {
    name: 'CANCELLED by an administrator before it starts',
    before({ cluster }) {
      cluster.slots = 0;
    },
    async during({ cluster, polls }) {
      await polls(1);
      for (const task of cluster.tasks.filter(isOurs)) await cluster.end(task, 'CANCELLED');
      cluster.slots = 8;
    },
    gives: 'lost',
    because: /CANCELLED/,
    again: 'done',
  },
  {
    name: 'TIMEOUT of a job by the CPU: the cluster was too slow',
    ...endedAs('TIMEOUT'),
    gives: 'lost',
    because: /TIMEOUT/,
  },
  {
    name: 'TIMEOUT of a job by the clock: its time was used up',
    jobs: { a: { clock: 'wall' }, b: { gpus: 1 } },
    ...endedAs('TIMEOUT'),
    gives: 'timeout',
  },
  { name: 'OUT_OF_MEMORY', ...endedAs('OUT_OF_MEMORY'), gives: 'out-of-memory' },
  {
    name: 'FAILED without a result',
    ...endedAs('FAILED'),
    gives: 'lost',
    because: /left no result \(FAILED\)/,
  },
  { name: 'COMPLETED without a result', ...endedAs('COMPLETED'), gives: 'lost', because: /left no result/ },
  {
    name: 'COMPLETED, and the result is late on a slow disk',
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      for (const task of ours(world)) task.shows = ['COMPLETED', 'COMPLETED'];
      await world.polls(2);
      world.letGo('a', 'b');
    },
    gives: 'done',
  },
  {
    name: 'a node fails, Slurm starts the job anew, and its second run counts',
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      const [a] = ours(world);
      await world.cluster.end(a!, 'NODE_FAIL', true);
      await world.polls(1);
      world.letGo('a', 'b');
    },
    gives: 'done',
    runs: { a: 2, b: 1 },
  },
  {
    name: 'a job whose second start finds that the first has left its result',
    async during(world) {
      await world.begun('a', 'b');
      const [a] = ours(world);
      await world.ended(a!);
      a!.restart++;
      a!.state = 'PENDING';
      world.cluster.schedule();
    },
    gives: 'done',
  },
  {
    name: 'one fails by itself',
    jobs: { a: { main: 'process.exit(7)' }, b: {} },
    gives: { a: 'failed', b: 'done' },
    runs: { b: 1 },
  },
  { name: 'one leaves no output', jobs: { a: { main: '' }, b: {} }, gives: 'done', runs: { b: 1 } },
  {
    name: 'one prints without end',
    jobs: {
      a: { main: "import { writeSync } from 'node:fs'; for (;;) writeSync(1, 'x'.repeat(1e6));" },
      b: {},
    },
    gives: { a: 'failed', b: 'done' },
    runs: { b: 1 },
  },
  {
    name: 'one ends the program of its node',
    jobs: { a: { main: noResult }, b: {} },
    gives: { a: 'lost', b: 'done' },
    runs: { b: 1 },
  },
  {
    name: 'one writes a large file',
    jobs: {
      a: { main: "(await import('node:fs')).writeFileSync('out.txt', Buffer.alloc(5e6, 'x'))" },
      b: {},
    },
    gives: 'done',
    runs: { b: 1 },
  },
  {
    name: 'forgotten by all, without a result',
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      for (const task of ours(world)) {
        task.forgotten = true;
        await world.cluster.end(task, 'COMPLETED');
      }
    },
    gives: 'lost',
    because: /unknown to Slurm/,
  },
  {
    name: 'forgotten by all, and the result is there',
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      for (const task of ours(world)) task.forgotten = true;
      world.letGo('a', 'b');
      // Of what nobody knows, nobody can make sure that it is gone.
      await Promise.all(ours(world).map(world.ended));
    },
    gives: 'done',
  },
  ...(['works', 'stale'] as const).map(
    (accounting): Scenario => ({
      name: `forgotten by squeue, cancelled, and sacct ${accounting === 'works' ? 'says so' : 'has it run for ever'}`,
      before(world) {
        world.cluster.accounting = accounting;
        world.hold('a', 'b');
      },
      async during(world) {
        await world.begun('a', 'b');
        for (const task of ours(world)) {
          task.forgotten = true;
          await world.cluster.end(task, 'CANCELLED');
        }
      },
      gives: 'lost',
      // Its node may have been quick enough to say so itself.
      because:
        accounting === 'works' ? /CANCELLED|killed from outside/ : /unknown to Slurm|killed from outside/,
    }),
  ),
];
