/**
 * What a state of Slurm means for a job. `waiting`: it will run. `held`: it runs only when a person lets it. `running`;
 * `paused`: it has begun and stands still. `ending`: its processes go. `over`: it ended by itself, and its result says
 * how. `timeout`, `out-of-memory`: Slurm ended it for that. `taken`: the cluster ended or lost it, and it may be run again.
 */
export type Meaning =
  | 'waiting'
  | 'held'
  | 'running'
  | 'paused'
  | 'ending'
  | 'over'
  | 'timeout'
  | 'out-of-memory'
  | 'taken';

/** Reads a state as squeue, sacct (`CANCELLED by 1000`, `CANCELLED+`) and scontrol write it; null for one that is not known. */
export function meaningOf(state: string): Meaning | null {
  return MEANINGS[/^[A-Z_]+/.exec(state)?.[0] ?? ''] ?? null;
}

/** May something of the job still run, or come to run? So of a state that is not known. */
export function isAlive(state: string): boolean {
  const meaning = meaningOf(state);
  return meaning === null || ALIVE.includes(meaning);
}

/** Has the job begun, and not ended? */
export function hasBegun(state: string): boolean {
  const meaning = meaningOf(state);
  return meaning === 'running' || meaning === 'paused' || meaning === 'ending';
}

/** Why a waiting job can never run unless a person does something, in words; null when it only waits its turn. */
export function stuckBecause(state: string, reason: string): string | null {
  if (meaningOf(state) === 'held') return `it is held (${state})`;
  const name = /^\w+/.exec(reason)?.[0] ?? '';
  return STUCK.test(name) ? `its reason to wait is ${name}` : null;
}

const MEANINGS: Record<string, Meaning> = {
  PENDING: 'waiting',
  CONFIGURING: 'waiting',
  POWER_UP_NODE: 'waiting',
  REQUEUED: 'waiting',
  REQUEUE_FED: 'waiting',
  REQUEUE_HOLD: 'held',
  SPECIAL_EXIT: 'held',
  RESV_DEL_HOLD: 'held',
  RUNNING: 'running',
  RESIZING: 'running',
  SIGNALING: 'running',
  UPDATE_DB: 'running',
  SUSPENDED: 'paused',
  STOPPED: 'paused',
  COMPLETING: 'ending',
  STAGE_OUT: 'ending',
  COMPLETED: 'over',
  FAILED: 'over',
  TIMEOUT: 'timeout',
  OUT_OF_MEMORY: 'out-of-memory',
  // The deadline of `--deadline`, which is none of the job's.
  DEADLINE: 'taken',
  CANCELLED: 'taken',
  NODE_FAIL: 'taken',
  PREEMPTED: 'taken',
  BOOT_FAIL: 'taken',
  LAUNCH_FAILED: 'taken',
  RECONFIG_FAIL: 'taken',
  REVOKED: 'taken',
};
const ALIVE: Meaning[] = ['waiting', 'held', 'running', 'paused', 'ending'];

/**
 * Reasons that pass only if somebody changes the job or the cluster. Limits on how much runs at once (`AssocMaxJobsLimit`,
 * `QOSMaxJobsPerUserLimit`) pass by themselves and are not among them; those on what one job may ask for are.
 */
const STUCK =
  /^(PartitionTimeLimit|PartitionNodeLimit|PartitionDown|PartitionInactive|DependencyNeverSatisfied|BadConstraints|JobHeldAdmin|JobHeldUser|JobHoldMaxRequeue|AccountNotAllowed|QOSNotAllowed|InvalidAccount|InvalidQOS|ReservationDeleted|DeadLine|launch_failed_requeued_held|(Assoc|QOS)Max\w*PerJob(Limit)?)$/;
