import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asked, Ran } from '../backend.ts';
import { cancelled, type Result } from '../result.ts';
import { inTheLightOf, needsState } from './conclude.ts';
import { folderOf, readResult } from './job-folder.ts';
import type { Clock } from './settings.ts';

/**
 * A job that somebody waits for. `queued`: to be submitted; `submitting`; `asking`: nobody can say whether it was;
 * `submitted`: Slurm has it, or had.
 */
export type OpenJob = Asked & {
  /** `<identity>.<attempt>`. */
  name: string;
  phase: 'queued' | 'submitting' | 'asking' | 'submitted';
  askedAt: number;
  /** How often Slurm has said that it is not there, while `asking`. */
  asks: number;
  /** Its task and node, as people are told; empty until it is known to have begun. */
  slot: string;
  startedAt: number | null;
  /** Since when nothing of it runs, as far as is known here. */
  overSince: number | null;
  /** It has left a result that needs Slurm's own word, and Slurm was asked for it. */
  hurried: boolean;
  /** When it was called off. */
  calledOffAt: number | null;
  /** How much of its output was told, in bytes. */
  toldBytes: number;
};

/** The jobs that are waited for, by name. */
export type OpenJobs = {
  all(): OpenJob[];
  get(name: string): OpenJob | undefined;
  /** Resolves when the job is finished. A name that has been finished is not to be used again; throws where one is open. */
  add(asked: Asked, name: string, phase: OpenJob['phase']): Promise<Ran>;
  isFinished(name: string): boolean;
  /** Was it finished without a result, so that what Slurm may still have of it is of no use? */
  isDropped(name: string): boolean;
  /** It has begun; told once. */
  begin(job: OpenJob, task: string, node: string): void;
  /** Tells the whole lines that it has written since the last time. */
  follow(job: OpenJob): void;
  /**
   * Finishes a job by the result in its folder; false where there is none, or one that says something only together with
   * Slurm's own word, which `state` is (undefined while that is not known, null where Slurm does not know).
   */
  take(job: OpenJob, state: string | null | undefined): boolean;
  /** Without a result to be taken its folder goes, unless it is to be `kept`: what Slurm may still run needs it. */
  finish(job: OpenJob, result: Result, kept?: 'kept'): void;
  /** Nobody wants it any more: that is its end, unless Slurm may have it. */
  callOff(job: OpenJob): void;
  /** How many have begun, and the most that had at once. */
  usage(): { busy: number; slots: number };
};

/** `onCallOff` is called when a job is no longer wanted that Slurm may have. */
export function openJobs(shared: string, clock: Clock, onCallOff: (job: OpenJob) => void): OpenJobs {
  const open = new Map<string, { job: OpenJob; resolve(ran: Ran): void; onAbort(): void }>();
  const finished = new Set<string>();
  const dropped = new Set<string>();
  let most = 0;

  const begun = () => [...open.values()].filter(({ job }) => job.slot !== '').length;

  const jobs: OpenJobs = {
    all: () => [...open.values()].map(({ job }) => job),
    get: (name) => open.get(name)?.job,
    add(asked, name, phase) {
      if (open.has(name)) throw new Error(`job ${name} is under way`);
      const askedAt = clock.now();
      const fresh = {
        asks: 0,
        slot: '',
        startedAt: null,
        overSince: null,
        hurried: false,
        calledOffAt: null,
        toldBytes: 0,
      };
      const job: OpenJob = { ...asked, name, phase, askedAt, ...fresh };
      const onAbort = () => jobs.callOff(job);
      asked.signal.addEventListener('abort', onAbort, { once: true });
      return new Promise((resolve) => open.set(name, { job, resolve, onAbort }));
    },
    isFinished: (name) => finished.has(name),
    isDropped: (name) => dropped.has(name),
    begin(job, task, node) {
      if (job.slot !== '') return;
      job.slot = `slurm ${task} ${node}`;
      job.startedAt = clock.now();
      most = Math.max(most, begun());
      job.tell({ kind: 'started', slot: job.slot });
    },
    follow(job) {
      const bytes = readFrom(join(folderOf(shared, job.name), 'output.log'), job.toldBytes);
      const end = bytes.lastIndexOf(0x0a) + 1;
      job.toldBytes += end;
      if (end > 0) job.tell({ kind: 'output', text: bytes.toString('utf8', 0, end) });
    },
    take(job, state) {
      const found = readResult(shared, job.name);
      if (found === null || (state === undefined && needsState(found.result))) return false;
      if (job.slot === '') {
        jobs.begin(job, found.task.job, found.task.node);
        job.startedAt = Math.max(job.askedAt, clock.now() - found.result.outcome.ms);
      }
      jobs.finish(job, inTheLightOf(job.spec, state ?? null, found.result));
      return true;
    },
    callOff(job) {
      job.calledOffAt ??= clock.now();
      if (job.phase === 'queued') jobs.finish(job, cancelled());
      else onCallOff(job);
    },
    finish(job, result, kept) {
      const entry = open.get(job.name);
      if (!entry) return;
      if (job.slot !== '') jobs.follow(job);
      open.delete(job.name);
      finished.add(job.name);
      job.signal.removeEventListener('abort', entry.onAbort);
      const { kind } = result.outcome;
      const dir = kind === 'lost' || kind === 'cancelled' ? null : folderOf(shared, job.name);
      // Without its order, a task that comes late leaves the job alone.
      if (dir === null && !kept) {
        dropped.add(job.name);
        remove(folderOf(shared, job.name));
      }
      remove(join(shared, 'ended', job.name));
      const waitMs = Math.max(0, (job.startedAt ?? clock.now()) - job.askedAt);
      entry.resolve({ result, dir, waitMs, slot: job.slot });
    },
    usage: () => ({ busy: begun(), slots: most }),
  };
  return jobs;
}

/** What stands in a file from a place on, or nothing; a megabyte at once at most. */
export function readFrom(path: string, start: number): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(Math.min(2 ** 20, Math.max(0, fstatSync(fd).size - start)));
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start));
    } finally {
      closeSync(fd);
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function remove(path: string): void {
  void rm(path, { recursive: true, force: true }).catch(() => {});
}
