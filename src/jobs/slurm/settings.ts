import { setTimeout as delay } from 'node:timers/promises';

/** How a run uses a cluster; the member `slurm` of a config file. Null leaves a choice to the cluster. */
export type SlurmSettings = {
  partition: string | null;
  account: string | null;
  qos: string | null;
  reservation: string | null;
  constraint: string | null;
  /** What `--gres` calls a GPU: `gpu`, `gpu:a100`. A share of one is rounded up to a whole one. */
  gres: string;
  /** Jobs of the run that Slurm may have at once; null for as many as it takes. */
  atOnce: number | null;
  /** Between two questions after the jobs. */
  pollMs: number;
  /** How long requests are gathered before they are submitted together. */
  batchMs: number;
  /** Added to a job's own limit for `--time`: what a node takes to start it and to copy its files. */
  marginSeconds: number;
  /** How long Slurm may be away before the run stops. */
  maxPauseMs: number;
  /** Further options of sbatch, one argument each. */
  extra: string[];
};

export const slurmDefaults: SlurmSettings = {
  partition: null,
  account: null,
  qos: null,
  reservation: null,
  constraint: null,
  gres: 'gpu',
  atOnce: null,
  pollMs: 5000,
  batchMs: 1000,
  marginSeconds: 120,
  maxPauseMs: 3_600_000,
  extra: [],
};

export type SlurmOptions = {
  /** On a disk that all nodes share; it belongs to this run. Made where it is not there. */
  folder: string;
  /** Names this run's jobs: lower-case letters and digits, 16 at most, the same whenever the run is resumed. */
  run: string;
  settings: SlurmSettings;
  /** Folders that no job may see, should they lie under a system folder. */
  hidden: readonly string[];
  /** The run can be resumed: when no further job can run, those that Slurm has are left to whoever does that. */
  resumable?: boolean;
  /** What a real model writes runs on no node that has no sandbox, whatever the node was like that was tried out. */
  needsSandbox?: boolean;
  /** Names or paths; found on the PATH unless told. */
  programs?: Partial<Record<SlurmProgram, string>>;
  /** Variables that the programs see beside the few that they need; for tests. */
  env?: Record<string, string>;
  /** Told when jobs have to wait for something that a person might mend, once each. */
  say?: (line: string) => void;
  /** How long one of the programs may take, ms of real time; a minute unless told. */
  deadlineMs?: number;
  clock?: Clock;
};

export type SlurmProgram = 'sbatch' | 'squeue' | 'sacct' | 'scancel' | 'scontrol';

/** Time, ms. `sleep` resolves when the time is over or the signal aborts; it never rejects. */
export type Clock = { now(): number; sleep(ms: number, signal: AbortSignal): Promise<void> };

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => {}),
};
