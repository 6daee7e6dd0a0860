import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { messageOf } from '../errors.ts';
import type { JobRunner } from '../jobs/job.ts';
import type { Llm } from '../llm/llm.ts';
import type { Profile } from '../llm/profile.ts';
import { withReplay } from '../llm/replay.ts';
import { secretNames } from '../secrets.ts';
import { answerTrial, type TrialLine } from './host.ts';
import type { TrialReport } from './run-trial.ts';
import { type Attempt, type ScheduleOptions, scheduleTrials } from './schedule.ts';
import { sweepScratch } from './scratch.ts';
import type { Evaluator } from './trial.ts';
import type { WorkerInput } from './worker.ts';

export type PoolOptions = ScheduleOptions & {
  /** Worker threads. */
  workers: number;
  /** Runs the jobs of all trials, here on the main thread. */
  runner: JobRunner;
  /** The model's name. */
  model: string;
  /**
   * The model, asked here on the main thread, or the one for a trial by its id; null for the offline one, which each worker thread has, as it computes;
   * or the URL of a module that exports `llm(model): Llm`, for threads to load.
   */
  llm: Llm | { of(trial: string): Llm } | null | { module: string };
  /** What is known of the model behind an endpoint; null for one that takes every request as it is. */
  profile?: Profile | null;
  /** How often threads are asked for a sign of life, ms. */
  heartbeatMs?: number;
  /** Heartbeats without an answer after which a thread is ended, and its trials run again. */
  silentBeats?: number;
  /** Heartbeats without a model call or job after which a trial is given up as lost. */
  idleBeats?: number;
};

/** A minute of silence, ten minutes of idling: safety nets far above the usual, counted so that a sleeping laptop is no fault. */
const DEFAULTS = { heartbeatMs: 5_000, silentBeats: 12, idleBeats: 120 };

/** A thread of a Node that does not know it would not start. */
const NO_REQUIRE = '--no-experimental-require-module';

/**
 * Runs trials in worker threads, many to a thread, each with a port of its own through which it asks for jobs
 * and by which it is cancelled. The only file that knows Piscina. What its version 5.3 makes necessary: no
 * `signal` (it would give a trial a thread of its own, and abort by killing that), `atomics: 'disabled'` (else a
 * thread's event loop stands still between trials), never `close()`, which ends running tasks, and no `require` of ES
 * modules, which it tries first: a thread that is ended in the middle of that takes Node 20, and us, along (SIGABRT).
 */
export function poolEvaluator(options: PoolOptions): Evaluator {
  const { heartbeatMs, silentBeats, idleBeats } = { ...DEFAULTS, ...options };
  const pool = new Piscina<WorkerInput, TrialReport>({
    filename: builtWorker(),
    minThreads: options.workers,
    maxThreads: options.workers,
    concurrentTasksPerWorker: Math.ceil(options.concurrency / options.workers),
    atomics: 'disabled',
    idleTimeout: Number.POSITIVE_INFINITY,
    recordTiming: false,
    ...(process.allowedNodeEnvironmentFlags.has(NO_REQUIRE) && { execArgv: [NO_REQUIRE] }),
  });
  sweepScratch();
  // Errors of a thread reach us through its trials; one without trials is replaced, which is all there is to do.
  pool.on('error', () => {});

  const lines = new Set<TrialLine>();
  const heartbeat = setInterval(() => {
    for (const line of lines) {
      line.ping();
      if (line.unanswered() > silentBeats) endThread(pool, line.thread());
      else if (line.idle() > idleBeats) void line.close();
    }
  }, heartbeatMs);
  heartbeat.unref();

  const attempt: Attempt = async (trial, signal) => {
    const { port1, port2 } = new MessageChannel();
    const asked = askedHere(options.llm, trial.spec.id);
    const llm = asked === null ? null : withReplay(asked, join(trial.folder, 'calls.jsonl'));
    const line = answerTrial(port1, { runner: options.runner, llm, trial: trial.spec });
    const cancel = () => void line.close();
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    lines.add(line);
    try {
      const { model, profile = null } = options;
      const input = {
        ...trial,
        model,
        llm: placeOf(options.llm),
        profile,
        secrets: secretNames(),
        port: port2,
      };
      const report = await pool.run(input, { transferList: [port2] });
      const hung = report.kind === 'lost' && line.idle() > idleBeats;
      return hung ? { kind: 'lost', reason: 'the trial made no progress for too long' } : report;
    } catch (error) {
      return { kind: 'thread-died', reason: `the worker thread died: ${messageOf(error)}` };
    } finally {
      lines.delete(line);
      signal.removeEventListener('abort', cancel);
      await line.close();
    }
  };

  return scheduleTrials(attempt, options, async () => {
    clearInterval(heartbeat);
    await pool.destroy();
  });
}

function askedHere(llm: PoolOptions['llm'], trial: string): Llm | null {
  if (typeof llm === 'function') return llm;
  return llm !== null && 'of' in llm ? llm.of(trial) : null;
}

function placeOf(llm: PoolOptions['llm']): WorkerInput['llm'] {
  if (llm === null) return 'offline';
  return 'module' in llm ? llm : 'host';
}

/** Piscina then sees the thread exit, fails the trials on it, and starts another. */
function endThread(pool: Piscina<WorkerInput, TrialReport>, thread: number | null): void {
  void pool.threads.find((worker) => worker.threadId === thread)?.terminate();
}

/** Threads load built JavaScript, also when this file itself runs from source, as in the tests. */
function builtWorker(): string {
  const here = fileURLToPath(import.meta.url);
  const file = here.endsWith('.ts')
    ? join(dirname(here), '../../dist/evaluation/worker.js')
    : join(dirname(here), 'worker.js');
  if (!existsSync(file)) throw new Error(`${file} is missing; run "npm run build"`);
  return file;
}
