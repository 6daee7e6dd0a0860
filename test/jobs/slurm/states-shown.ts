import type { Scenario } from './scenario.ts';

const before = [
  'PENDING',
  'CONFIGURING',
  'POWER_UP_NODE',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
];
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
const held = /^REQUEUE_HOLD|SPECIAL_EXIT|RESV_DEL_HOLD$/;

/** A job in any of these states is waited for, however long they last. */
export const states: Scenario[] = [
  ...before.map(
    (state): Scenario => ({
      name: `${state} before it starts`,
      before: ({ cluster }) => {
        cluster.onTask = (task) => (task.shows = [state, state, state]);
      },
      gives: 'done',
      ...(held.test(state) ? { says: /it is held \([A-Z_]+\); a person must see to it/ } : {}),
    }),
  ),
  ...during.map(
    (state): Scenario => ({
      name: `${state} while it runs`,
      before: (world) => world.hold('a', 'b'),
      async during({ cluster, begun, letGo, polls }) {
        await begun('a', 'b');
        for (const task of cluster.tasks) if (!task.strange) task.shows = [state, state, state];
        await polls(4);
        letGo('a', 'b');
      },
      gives: 'done',
    }),
  ),
];
