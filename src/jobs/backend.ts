import type { JobSpec } from './job.ts';
import type { Result } from './result.ts';

/** Where jobs are really run: this machine, or a cluster. It knows nothing of caches, nor of who else wants the same job. */
export type Backend = {
  /**
   * Runs one job; never rejects. It is not called again with an identity that is under way. When `signal` aborts it gives
   * `cancelled` as soon as nothing of the job is left.
   */
  run(asked: Asked): Promise<Ran>;
  usage(): { busy: number; slots: number };
  /** Aborted when no further job can run; the reason is an Error, for people. */
  halted: AbortSignal;
  /** Ends what runs and waits for it. */
  close(): Promise<void>;
};

export type Asked = { spec: JobSpec; identity: string; signal: AbortSignal; tell: (news: JobNews) => void };

/** What becomes of a job while it is under way. `text` is output as it came, whole lines, real paths replaced. */
export type JobNews = { kind: 'started'; slot: string } | { kind: 'output'; text: string };

/**
 * A result, `waitMs` after it was asked for on this slot; `dir` holds its large outputs and is the receiver's to remove.
 * `hopeless`: it is `lost`, and would be again, since what it asks for is not there.
 */
export type Ran = { result: Result; dir: string | null; waitMs: number; slot: string; hopeless?: true };

/** An end that the infrastructure brought about, without a run. */
export function notRun(result: Result, waitMs = 0): Ran {
  return { result, dir: null, waitMs, slot: '' };
}
