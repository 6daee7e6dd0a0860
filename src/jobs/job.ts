import type { Metric, PruneRule } from './curve.ts';

/**
 * A process that a trial asks for. All fields but `folder`, `data.dir` and `retries` make its identity; what is left
 * out, or undefined, is no part of it.
 */
export type JobSpec = {
  /** argv; run with the job's folder as working directory. Inside the sandbox that folder is `/work`. */
  command: string[];
  /** The trial's work folder on this machine; its files are the job's input and it is the only writable place. */
  folder: string;
  /** The task's public data: readable as `data/` inside the folder. `hash` names its content. */
  data: { dir: string; hash: string };
  /** Files that the job is expected to write (relative); removed before it runs, kept in the cache after. */
  outputs: string[];
  /**
   * `seconds` on the job's clock (`clock`); `memoryMb` for all its processes together; `outputBytes` of its log are kept;
   * `diskMb` is what it may have in its folder (as much as `memoryMb` unless told), and `processes` how many processes and
   * threads at once, the few of the sandbox among them (512).
   */
  limits: { seconds: number; memoryMb: number; outputBytes: number; diskMb?: number; processes?: number };
  /**
   * `cpu` (left out: so): `seconds` of CPU for each of its processes; one that takes more ends in `timeout`, on any machine
   * and under any load, and the deadline on the wall, ten times that and 30 s, is a safety net whose firing is `lost`.
   * `wall`: `seconds` as they pass, for tasks whose budget is time; always so with GPUs.
   */
  clock?: 'wall';
  /** GPUs to lease: a whole number, or a share of one between 0 and 1; 0 for none. */
  gpus: number;
  /** CPU cores to lease, at once with the GPUs; unless told 1, and none of its own beside GPUs. */
  cpus?: number;
  /** What it sees of variables beside the fixed ones: allowed by the task, with their values; never a secret. */
  env?: Record<string, string>;
  /** It may use the network. */
  network?: true;
  /** What it runs on beside the system's programs; `node` unless told. */
  runtime?: 'python';
  /** The versions of what it runs on, which its result depends on. */
  packages?: string;
  /** When to stop it early, by the metrics that it prints. */
  prune?: PruneRule;
  /** How often it is run again after a fault of the infrastructure; 2 unless told. */
  retries?: number;
};

/**
 * What a job gave. `log` is stdout, then stderr (of `done` the other way round), real paths replaced by `/work`, at most
 * `outputBytes` (the end is kept). `ms` is the time that the first run took. `metrics` are those it printed, in order;
 * left out where it printed none. `sandbox` is the level that it ran under; left out where it did not run.
 *
 * - `done`: exit code 0. `failed`: another one, or stopped for what it did (a flood of output, too much on the disk, too
 *   many processes; the last line of the log says so).
 * - `timeout`: its own time was used up, or it waited until long after. `out-of-memory`: its memory. `pruned`: stopped early by its `prune` rule, at
 *   the step `step` of its curve. These are the job's doing, and what it had written is dropped.
 * - `cancelled`: nobody wants it any more. `lost`: a fault of the infrastructure, `hopeless` where it
 *   would be so again. Neither is ever cached.
 */
export type JobOutcome = { log: string; ms: number; metrics?: Metric[]; sandbox?: 'bubblewrap' | 'none' } & (
  | { kind: 'done'; outputs: string[] }
  | Unfinished
);

/** How a job ended that was not `done`. */
export type Unfinished =
  | { kind: 'failed'; exitCode: number }
  | { kind: 'timeout' }
  | { kind: 'out-of-memory' }
  | { kind: 'pruned'; step: number }
  | { kind: 'cancelled' }
  | { kind: 'lost'; reason: string; hopeless?: true };

/** Which job of which trial asks, for people: `job` counts from 1, as in the trial's `logs/job-N.log`. */
export type Asker = { trial: string; genome: string; task: string; job: number };

/** Who runs jobs. One owner of all slots; lives on the main thread. */
export type JobRunner = {
  /**
   * Runs the job, or gives back what an equal one gave before; either way the `outputs` of a `done` job stand
   * in `spec.folder` when this resolves. Never rejects. `identity` is `identify(spec)`. Aborting `signal` gives
   * `cancelled`. `asker` is who asks, for people.
   */
  run(spec: JobSpec, identity: string, signal?: AbortSignal, asker?: Asker): Promise<JobOutcome>;
  /** So far, in this process: jobs run, cache hits, and how slots are used. */
  stats(): { run: number; hits: number; busy: number; slots: number; ms: number };
  /** Aborted when no further job can run at all (a cluster that refuses us); its reason is an Error with `hint`. */
  halted: AbortSignal;
  /** Kills what runs, and waits until nothing of it is left. */
  close(): Promise<void>;
};
