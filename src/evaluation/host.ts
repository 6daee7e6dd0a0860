import type { MessagePort } from 'node:worker_threads';
import { TrialLost } from '../agent/trial-lost.ts';
import { messageOf } from '../errors.ts';
import type { JobOutcome, JobRunner, JobSpec } from '../jobs/job.ts';
import type { Wire } from '../json.ts';
import { type ChatReply, type ChatRequest, type Fault, type Llm, LlmError } from '../llm/llm.ts';
import { numberJobs, type TrialSpec } from './trial.ts';

/** What a trial in a worker thread says to the main thread, over the port of its own. */
type FromTrial =
  | { kind: 'job'; number: number; identity: string; spec: JobSpec }
  | { kind: 'ask'; number: number; request: ChatRequest }
  /** I run, on this thread, and have called the model so many times. */
  | { kind: 'alive'; thread: number; calls: number };

type ToTrial =
  | { kind: 'job-ended'; number: number; outcome: JobOutcome }
  | { kind: 'answer'; number: number; reply: ChatReply }
  | { kind: 'no-answer'; number: number; fault: Fault; message: string }
  /** A fault of this program or of the disk, with its stack and the system's code, if any. */
  | { kind: 'broken'; number: number; stack: string; code: string }
  | { kind: 'ping' };

/** What the main thread does for trials: it owns slots and money. */
export type Owner = {
  runner: JobRunner;
  /** The model of this trial; null where the trial's own thread has it. */
  llm: Llm | null;
  /** The trial; its jobs are counted here. */
  trial?: TrialSpec;
};

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

/**
 * Answers a trial's requests through `owner` until the port closes, from either end; then what it has asked for is
 * cancelled.
 */
export function answerTrial(port: MessagePort, { runner, llm, trial }: Owner): TrialLine {
  const cancel = new AbortController();
  const owed = new Set<Promise<void>>();
  let thread: number | null = null;
  let calls = 0;
  let unanswered = 0;
  let idle = 0;
  let open = true;
  const asker = trial && numberJobs(trial);

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
    const answer = message.kind === 'job' ? runJob(message) : ask(message);
    owed.add(answer);
    void answer.then(() => owed.delete(answer));
  });
  port.on('close', () => {
    open = false;
    cancel.abort(new Error('the trial has ended'));
  });

  async function runJob({ number, spec, identity }: Extract<FromTrial, { kind: 'job' }>): Promise<void> {
    say({ kind: 'job-ended', number, outcome: await runner.run(spec, identity, cancel.signal, asker?.()) });
  }

  async function ask({ number, request }: Extract<FromTrial, { kind: 'ask' }>): Promise<void> {
    try {
      if (!llm) throw new Error('the trial has its own model');
      say({ kind: 'answer', number, reply: await llm(request, cancel.signal) });
    } catch (error) {
      if (error instanceof LlmError) {
        const { fault, message } = error;
        say({ kind: 'no-answer', number, fault, message });
      } else {
        const { stack = messageOf(error), code = '' } = error as NodeJS.ErrnoException;
        say({ kind: 'broken', number, stack, code });
      }
    }
  }

  return {
    ping() {
      unanswered++;
      idle = owed.size > 0 ? 0 : idle + 1;
      say({ kind: 'ping' });
    },
    thread: () => thread,
    unanswered: () => unanswered,
    idle: () => idle,
    async close() {
      open = false;
      cancel.abort(new Error('the trial has ended'));
      port.close();
      await Promise.all(owed);
    },
  };
}

/** The trial's end of the line, in a worker thread. */
export type HostLine = {
  runJob(spec: JobSpec, identity: string): Promise<JobOutcome>;
  /** The model, where the main thread has it. */
  ask: Llm;
  /** To be called with each model call: it is how the main thread knows that the trial goes on. */
  called(): void;
  /** Aborted when the main thread closes the line. */
  signal: AbortSignal;
  close(): void;
};

/** Asks the main thread over `port`; `thread` is the caller's thread id. */
export function callHost(port: MessagePort, thread: number): HostLine {
  const cancel = new AbortController();
  const waiting = new Map<number, (message: Exclude<Wire<ToTrial>, { kind: 'ping' }>) => void>();
  let calls = 0;
  let asked = 0;
  const say = (message: Wire<FromTrial>) => port.postMessage(message);

  port.on('message', (message: Wire<ToTrial>) => {
    if (message.kind === 'ping') return say({ kind: 'alive', thread, calls });
    waiting.get(message.number)?.(message);
    waiting.delete(message.number);
  });
  // What still waits is left behind: the trial itself stops waiting when `signal` aborts.
  port.on('close', () => cancel.abort(new TrialLost('cancelled')));
  say({ kind: 'alive', thread, calls });

  return {
    runJob: (spec, identity) =>
      new Promise((resolve) => {
        waiting.set(++asked, (message) => {
          if (message.kind === 'job-ended') resolve(message.outcome);
        });
        say({ kind: 'job', number: asked, identity, spec });
      }),
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting.set(++asked, (message) => {
          if (message.kind === 'answer') resolve(message.reply);
          else if (message.kind === 'no-answer') reject(new LlmError(message.fault, message.message));
          else if (message.kind === 'broken') {
            const { stack, code } = message;
            reject(Object.assign(new Error(stack.split('\n')[0]), { stack, code }));
          }
        });
        say({ kind: 'ask', number: asked, request });
      }),
    called: () => calls++,
    signal: cancel.signal,
    close: () => port.close(),
  };
}
