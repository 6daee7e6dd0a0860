import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FakeCluster, Fault } from '../../slurm/fake/cluster.ts';
import { tell } from '../../slurm/fake/words.ts';
import type { Scenario } from './scenario.ts';

const GONE = 'error: Unable to contact slurm controller (connect failure)';
const gone: Fault = () => tell('', `slurm_load_jobs ${GONE}`);

/** Runs both jobs to their end while squeue does this, then lets it answer again. */
function while_(fault: Fault | null, times = 3): Pick<Scenario, 'before' | 'during'> {
  return {
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      world.cluster.fault('squeue', ...Array<Fault>(times).fill(fault as Fault));
      await world.polls(times + 1);
      world.letGo('a', 'b');
    },
  };
}

function allGone(cluster: FakeCluster): void {
  for (const program of ['sbatch', 'squeue', 'scontrol', 'scancel', 'sacct'] as const)
    cluster.broken[program] = gone;
}

/** Of two jobs that run one after the other the first ends while Slurm is away: who waits then has nobody to speak for him. */
const oneEnds: Pick<Scenario, 'before' | 'during'> = {
  before: (world) => world.hold('a'),
  async during(world) {
    await world.begun('a');
    allGone(world.cluster);
    await world.until(() => world.said.some((line) => /does not answer/.test(line)), 'a word about it');
    world.letGo('a');
    await world.ended(world.left()[0]!);
    await world.until(() => readdirSync(join(world.folder, 'ended')).length === 0, 'the result to be taken');
  },
};

/** Slurm that is away, or answers with nonsense, while jobs run. */
export const away: Scenario[] = [
  {
    name: 'squeue is away for a while',
    ...while_(gone),
    gives: 'done',
    says: /does not answer[\s\S]*answers again/,
  },
  { name: 'squeue says nothing, three times', ...while_(() => tell('')), gives: 'done' },
  {
    name: 'squeue says nonsense, three times',
    ...while_(() => tell('<html>502 Bad Gateway</html>\n')),
    gives: 'done',
  },
  {
    name: 'squeue leaves out all jobs, three times',
    ...while_((act) => tell(`${act().stdout.split('\n')[0]}\n`)),
    gives: 'done',
  },
  {
    name: 'squeue is killed, three times',
    ...while_((act) => ({ ...act(), signal: 'SIGKILL' })),
    gives: 'done',
  },
  {
    name: 'squeue hangs once',
    ...while_(() => null, 1),
    deadlineMs: 2000,
    gives: 'done',
  },
  {
    name: 'squeue is away for good, and jobs that run are left to a resume',
    before: (world) => world.hold('a', 'b'),
    async during(world) {
      await world.begun('a', 'b');
      allGone(world.cluster);
      await world.until(() => world.said.some((line) => /does not answer/.test(line)), 'a word about it');
    },
    gives: 'lost',
    settings: { maxPauseMs: 30_000 },
    because: /does not answer/,
    halted: /^Slurm does not answer: squeue: .*Unable to contact slurm controller/,
    left: 2,
  },
  {
    name: 'Slurm is away until after all that runs has ended, and takes what waits when it is back',
    before: oneEnds.before!,
    async during(world) {
      await oneEnds.during!(world);
      world.cluster.broken = {};
    },
    settings: { atOnce: 1 },
    gives: 'done',
    says: /does not answer[\s\S]*answers again/,
  },
  {
    name: 'Slurm is away for good, and all that runs has ended: what waits does not wait for ever',
    before: oneEnds.before!,
    async during(world) {
      await oneEnds.during!(world);
      world.leap(600_000);
    },
    settings: { atOnce: 1, maxPauseMs: 600_000 },
    gives: { a: 'done', b: 'lost' },
    because: /does not answer/,
    halted: /^Slurm does not answer: squeue: .*Unable to contact slurm controller/,
    runs: { a: 1 },
  },
  {
    name: 'Slurm is away from the start, and for good',
    before: ({ cluster }) => allGone(cluster),
    settings: { maxPauseMs: 30_000 },
    gives: 'lost',
    halted: /^Slurm (does not answer|takes no jobs): .*Unable to contact/,
    runs: {},
  },
  {
    name: 'Slurm is away from the start, and comes back',
    before({ cluster }) {
      cluster.fault('sbatch', gone, gone);
      cluster.fault('squeue', gone, gone);
    },
    gives: 'done',
    says: /answers again/,
  },
  {
    name: 'scontrol does not say how large an array may be',
    before: ({ cluster }) => {
      cluster.broken.scontrol = gone;
    },
    gives: 'done',
  },
];
