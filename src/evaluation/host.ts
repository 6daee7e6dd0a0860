import type { MessagePort } from 'node:worker_threads';
import { TrialLost } from '../agent/trial-lost.ts';
import type { JobOutcome, JobRunner, JobSpec } from '../jobs/job.ts';
import type { Wire } from '../json.ts';

/** What a trial in a worker thread says to the main thread, over the port of its own. */
type FromTrial =
  | { kind: 'job'; number: number; identity: string; spec: JobSpec }
  /** I run, on this thread, and have called the model so many times. */
  | { kind: 'alive'; thread: number; calls: number };

type ToTrial = { kind: 'job-ended'; number: number; outcome: JobOutcome } | { kind: 'ping' };

/** The main thread's end of a trial: owns all that the trial asked for. */
export type TrialLine = {
  /** Asks for a sign of life; to be called at even intervals. */
  ping(): void;
  /** The thread that the trial runs on; null before it has started. */
  thread(): number | null;
  /** Pings since the last answer: a thread that is blocked or dead answers none. */
  unanswered(): number;
  /** Pings since the last progress (a model call, a job): a trial that hangs answers, but does nothing. */
  idle(): number;
  /** Cancels the trial and what it had asked for; resolves when nothing of that is left. */
  close(): Promise<void>;
};

/** Answers a trial's requests through `runner` until the port closes, from either end; then aborts its jobs. */
export function answerTrial(port: MessagePort, runner: JobRunner): TrialLine {
  const cancel = new AbortController();
  const jobs = new Set<Promise<void>>();
  let thread: number | null = null;
  let calls = 0;
  let unanswered = 0;
  let idle = 0;
  let open = true;

  const say = (message: Wire<ToTrial>) => {
    if (open) port.postMessage(message);
  };
  port.on('message', (message: Wire<FromTrial>) => {
    if (!open) return;
    unanswered = 0;
    if (message.kind === 'alive') {
      if (message.calls !== calls) idle = 0;
      ({ thread, calls } = message);
      return;
    }
    const { number, spec, identity } = message;
    const job = runner
      .run(spec, identity, cancel.signal)
      .then((outcome) => say({ kind: 'job-ended', number, outcome }));
    jobs.add(job);
    void job.then(() => jobs.delete(job));
  });
  port.on('close', () => {
    open = false;
    cancel.abort(new Error('the trial has ended'));
  });

  return {
    ping() {
      unanswered++;
      idle = jobs.size > 0 ? 0 : idle + 1;
      say({ kind: 'ping' });
    },
    thread: () => thread,
    unanswered: () => unanswered,
    idle: () => idle,
    async close() {
      open = false;
      cancel.abort(new Error('the trial has ended'));
      port.close();
      await Promise.all(jobs);
    },
  };
}

/** The trial's end of the line, in a worker thread. */
export type HostLine = {
  runJob(spec: JobSpec, identity: string): Promise<JobOutcome>;
  /** To be called with each model call: it is how the main thread knows that the trial goes on. */
  called(): void;
  /** Aborted when the main thread closes the line. */
  signal: AbortSignal;
  close(): void;
};

/** Asks the main thread over `port`; `thread` is the caller's thread id. */
export function callHost(port: MessagePort, thread: number): HostLine {
  const cancel = new AbortController();
  const waiting = new Map<number, (outcome: JobOutcome) => void>();
  let calls = 0;
  let asked = 0;
  const say = (message: Wire<FromTrial>) => port.postMessage(message);

  port.on('message', (message: Wire<ToTrial>) => {
    if (message.kind === 'ping') return say({ kind: 'alive', thread, calls });
    waiting.get(message.number)?.(message.outcome);
    waiting.delete(message.number);
  });
  // What still waits is left behind: the trial itself stops waiting when `signal` aborts.
  port.on('close', () => cancel.abort(new TrialLost('cancelled')));
  say({ kind: 'alive', thread, calls });

  return {
    runJob: (spec, identity) =>
      new Promise((resolve) => {
        waiting.set(++asked, resolve);
        say({ kind: 'job', number: asked, identity, spec });
      }),
    called: () => calls++,
    signal: cancel.signal,
    close: () => port.close(),
  };
}
