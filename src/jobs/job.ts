/** A process that a trial asks for. All fields but `folder` and `data.dir` make its identity. */
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
   * `seconds` of CPU for each of its processes: one that takes more is `failed`, on any machine and under any load. The
   * safety deadline is ten times that on the clock, and 30 s. With GPUs there is only the clock, at `seconds`.
   */
  limits: { seconds: number; memoryMb: number; outputBytes: number };
  /** GPUs to lease; 0 for a CPU slot. */
  gpus: number;
};

/**
 * What a job gave. `log` is stdout and stderr as they came, real paths replaced by `/work`, at most
 * `outputBytes` (the end is kept). `done` is exit code 0; `lost` is an infrastructure fault (could not be
 * started, cancelled, safety deadline) and is never cached. `ms` is the time that the first run took.
 */
export type JobOutcome = { log: string; ms: number } & (
  | { kind: 'done'; outputs: string[] }
  | { kind: 'failed'; exitCode: number }
  | { kind: 'out-of-memory' }
  | { kind: 'lost'; reason: string }
);

/** Who runs jobs. One owner of all slots; lives on the main thread. */
export type JobRunner = {
  /**
   * Runs the job, or gives back what an equal one gave before; either way the `outputs` of a `done` job stand
   * in `spec.folder` when this resolves. Never rejects. `identity` is `identify(spec)`. Aborting `signal` gives `lost`.
   */
  run(spec: JobSpec, identity: string, signal?: AbortSignal): Promise<JobOutcome>;
  /** So far, in this process: jobs run, cache hits, and how slots are used. */
  stats(): { run: number; hits: number; busy: number; slots: number; ms: number };
  /** Kills what runs, and waits until nothing of it is left. */
  close(): Promise<void>;
};
