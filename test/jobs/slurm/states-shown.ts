import type { Scenario } from './scenario.ts';

const before = ['PENDING', 'CONFIGURING', 'POWER_UP_NODE', 'REQUEUED', 'REQUEUE_FED'];
const held = ['REQUEUE_HOLD', 'SPECIAL_EXIT', 'RESV_DEL_HOLD'];
const during = [
  'RUNNING',
  'SUSPENDED',
  'STOPPED',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
  'COMPLETING',
  'A_NEW_STATE',
];

/** A job in any of these states is waited for, however often they come. */
export const states: Scenario[] = [
  {
    name: `before it starts: ${before.join(', ')}`,
    before: ({ cluster }) => {
      cluster.onTask = (task) => (task.shows = [...before]);
    },
    gives: 'done',
  },
  {
    name: `before it starts, and for good unless a person sees to it: ${held.join(', ')}`,
    jobs: Object.fromEntries(held.map((state) => [state, {}])),
    before: ({ cluster }) => {
      cluster.onTask = (task) => (task.shows = Array(3).fill(held[task.index]));
    },
    gives: 'done',
    says: new RegExp(held.map((state) => `it is held \\(${state}\\); a person must see to it`).join('[^]*')),
  },
  {
    name: `while it runs: ${during.join(', ')}`,
    before: (world) => world.hold('a', 'b'),
    async during({ cluster, begun, letGo, polls }) {
      await begun('a', 'b');
      for (const task of cluster.tasks) if (!task.strange) task.shows = [...during];
      await polls(during.length + 1);
      letGo('a', 'b');
    },
    gives: 'done',
  },
];
