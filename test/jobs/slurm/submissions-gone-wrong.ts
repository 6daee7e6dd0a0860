import type { Fault, Said } from '../../slurm/fake/cluster.ts';
import { tell } from '../../slurm/fake/words.ts';
import type { Scenario } from './scenario.ts';
import { isOurs, type World } from './world.ts';

const TIMED_OUT = 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation';

const UNHEARD = 'sbatch: error: the submit plugin is offended';

/** Says this; the job is there all the same when `there`. */
function says(stderr: string, there: boolean): Fault {
  return (act) => {
    if (there) act();
    return tell('', stderr);
  };
}

/** Does not end by itself in good time. */
const hangs: Fault = (act) => {
  act();
  return null;
};

const killed: Fault = (act): Said => ({ ...act(), signal: 'SIGKILL' });

function sbatch(...faults: Fault[]): Pick<Scenario, 'before'> {
  return { before: ({ cluster }) => cluster.fault('sbatch', ...faults) };
}

const arraysOf = ({ cluster }: World) => new Set(cluster.tasks.filter(isOurs).map(({ array }) => array)).size;

const refusals = {
  'the account': 'Invalid account or account/partition combination specified',
  'the partition': 'Invalid partition name specified',
  'the QOS': 'Invalid qos specification',
  'a limit that no job can meet': 'Requested node configuration is not available',
};

/** Submissions of which nobody knows whether they worked, that have to wait, or are refused. */
export const submissions: Scenario[] = [
  { name: 'a time-out, and the jobs are there', ...sbatch(says(TIMED_OUT, true)), gives: 'done' },
  { name: 'a time-out, and the jobs are not there', ...sbatch(says(TIMED_OUT, false)), gives: 'done' },
  {
    name: 'two time-outs, then they are there',
    ...sbatch(says(TIMED_OUT, false), says(TIMED_OUT, true)),
    gives: 'done',
  },
  {
    name: 'a time-out, and squeue knows the jobs late, when they have been submitted again',
    before({ cluster }) {
      cluster.fault('sbatch', says(TIMED_OUT, true));
      cluster.onTask = (task) => {
        task.forgotten = cluster.calls.filter(({ program }) => program === 'sbatch').length === 1;
        if (task.forgotten) task.shows = Array(1000).fill('PENDING');
      };
    },
    async during({ cluster, until }) {
      await until(
        () => cluster.calls.filter(({ program }) => program === 'sbatch').length === 2,
        'a second submission',
      );
      cluster.onTask = () => {};
      for (const task of cluster.tasks) {
        if (task.forgotten) Object.assign(task, { forgotten: false, shows: [] });
      }
      cluster.schedule();
    },
    gives: 'done',
  },
  {
    name: 'a time-out, and both submissions run side by side',
    before(world) {
      world.hold('a', 'b');
      const { cluster } = world;
      cluster.fault('sbatch', (act) => {
        act();
        act();
        return tell('', TIMED_OUT);
      });
    },
    async during(world) {
      await world.begun('a', 'b');
      await world.polls(1);
      world.letGo('a', 'b');
    },
    gives: 'done',
  },
  {
    name: 'no answer in good time, and the jobs are there',
    ...sbatch(hangs),
    deadlineMs: 2000,
    gives: 'done',
  },
  { name: 'sbatch is killed after it has submitted', ...sbatch(killed), gives: 'done' },
  {
    name: 'sbatch says nonsense, and the jobs are there',
    ...sbatch((act) => {
      act();
      return tell('Welcome to the cluster!\n');
    }),
    gives: 'done',
  },
  {
    name: 'sbatch says the number among other things',
    ...sbatch((act) => tell(`Welcome!\n${act().stdout.trim()};cluster\n`)),
    gives: 'done',
    after: (world) => expectOne(arraysOf(world)),
  },
  {
    name: 'Slurm is full for a while',
    ...sbatch(
      says('sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying', false),
      says('sbatch: error: Batch job submission failed: Resource temporarily unavailable', false),
    ),
    gives: 'done',
    says: /takes no more jobs for now/,
  },
  {
    name: 'Slurm is full for good, though not of our jobs',
    before: ({ cluster }) => {
      cluster.broken.sbatch = says('sbatch: error: AssocMaxSubmitJobLimit', false);
    },
    settings: { maxPauseMs: 30_000 },
    gives: 'lost',
    says: /takes no more jobs for now/,
    halted: /^Slurm takes no jobs: .*AssocMaxSubmitJobLimit/,
    runs: {},
  },
  {
    name: 'too many jobs of this user for a while',
    ...sbatch(
      says(
        "sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)",
        false,
      ),
      says('sbatch: error: QOSMaxSubmitJobPerUserLimit', false),
    ),
    gives: 'done',
    says: /takes no more jobs for now/,
  },
  {
    name: 'more jobs than an array may have',
    jobs: Object.fromEntries([...'abcdefg'].map((name) => [name, {}])),
    before: ({ cluster }) => {
      cluster.maxArraySize = 3;
    },
    gives: 'done',
    after: (world) => expectOne(arraysOf(world) / 3),
  },
  {
    name: 'two at once, when so told, also of those that stand in different arrays',
    jobs: { a: {}, b: { cpus: 2 }, c: { cpus: 3 }, d: {}, e: {} },
    settings: { atOnce: 2 },
    before: (world) => world.hold(...'abcde'),
    async during(world) {
      await world.begun('a', 'd');
      await world.polls(2);
      expectOne(world.left().length / 2);
      world.letGo(...'abcde');
    },
    gives: 'done',
  },
  {
    name: 'one that Slurm has no room for holds up no others',
    jobs: { a: { gpus: 2 }, b: {}, c: { cpus: 2 } },
    before({ cluster }) {
      cluster.broken.sbatch = (act, { args }) =>
        args.includes('--gres=gpu:2') ? tell('', 'sbatch: error: QOSMaxSubmitJobPerUserLimit') : act();
    },
    async during(world) {
      await world.begun('b', 'c');
      world.cluster.broken = {};
    },
    gives: 'done',
  },
  {
    name: 'something that nobody has ever heard, and then it works',
    ...sbatch(says(UNHEARD, false), says(UNHEARD, false)),
    gives: 'done',
  },
  {
    name: 'something that nobody has ever heard, again and again',
    before: ({ cluster }) => {
      cluster.broken.sbatch = says(UNHEARD, false);
    },
    gives: 'lost',
    halted: /^Slurm refuses jobs: .*plugin is offended/,
    runs: {},
    after: ({ cluster }) => expectOne(cluster.calls.filter(({ program }) => program === 'sbatch').length / 4),
  },
  {
    name: 'jobs that ask for different things',
    jobs: { a: {}, b: { gpus: 1 }, c: { gpus: 2, cpus: 4 } },
    gives: 'done',
    after: (world) => expectOne(arraysOf(world) / 3),
  },
  ...Object.entries(refusals).map(
    ([what, message]): Scenario => ({
      name: `refused: ${what}`,
      before: ({ cluster }) => {
        cluster.broken.sbatch = says(`sbatch: error: Batch job submission failed: ${message}`, false);
      },
      gives: 'lost',
      because: new RegExp(message),
      halted: new RegExp(`^Slurm refuses jobs: .*${message}$`),
      runs: {},
    }),
  ),
  {
    name: 'the account is refused midway: what runs may end',
    jobs: { a: {}, b: { gpus: 1 } },
    before(world) {
      world.hold('a', 'b');
      let calls = 0;
      world.cluster.broken.sbatch = (act) =>
        calls++ === 0 ? act() : tell('', 'sbatch: error: Batch job submission failed: Invalid account');
    },
    async during(world) {
      await world.begun('a');
      await world.polls(2);
      world.letGo('a', 'b');
    },
    gives: { a: 'done', b: 'lost' },
    runs: { a: 1 },
    halted: /Invalid account/,
  },
];

function expectOne(value: number): void {
  if (value !== 1) throw new Error(`${value} where one was expected`);
}
