import { type ChildProcess, spawn } from 'node:child_process';
import { Tail } from './tail.ts';

/** How a process is run. `argv[0]` is an absolute path; `env` is all that the process sees. */
export type ProcessSpec = {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  seconds: number;
  /** How many bytes of its output are kept; the end is. */
  outputBytes: number;
};

/** How a process ended. `signal` is what ended it, null after an exit; `cause` is why it is no more. */
export type Ended = {
  cause: 'exit' | 'deadline' | 'cancelled' | 'flood' | 'not-started';
  code: number;
  signal: NodeJS.Signals | null;
  output: string;
  /** Why it was not started; else empty. */
  error: string;
  ms: number;
};

/** A process that prints more than this is stopped: nobody reads it, and the reader would be kept busy. */
export const floodBytes = 64 * 2 ** 20;

/**
 * Runs a process in a group of its own and ends the whole group with it: at exit, deadline, abort, or a flood of
 * output. Output is stdout and stderr. Resolves when the group is gone and its output read; never rejects.
 */
export function runProcess(spec: ProcessSpec, signal?: AbortSignal): Promise<Ended> {
  const began = performance.now();
  return new Promise((resolve) => {
    const tail = new Tail(spec.outputBytes, floodBytes);
    let cause: Ended['cause'] = 'exit';
    let child: ChildProcess;
    const finish = (code: number, by: NodeJS.Signals | null, error = '') => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve({ cause, code, signal: by, output: tail.text(), error, ms: performance.now() - began });
    };
    const stop = (why: Ended['cause']) => {
      if (cause === 'exit') cause = why;
      killGroup(child.pid);
    };
    const onAbort = () => stop('cancelled');
    const timer = setTimeout(() => stop('deadline'), spec.seconds * 1000);
    const notStarted = (error: unknown) => {
      cause = 'not-started';
      finish(-1, null, String((error as Error).message ?? error));
    };
    if (signal?.aborted) {
      cause = 'cancelled';
      return finish(-1, 'SIGKILL');
    }
    try {
      child = spawn(spec.argv[0] as string, spec.argv.slice(1), {
        cwd: spec.cwd,
        env: spec.env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    } catch (error) {
      return notStarted(error);
    }
    child.once('error', (error) => {
      if (child.pid === undefined) notStarted(error);
    });
    if (child.pid === undefined) return;
    live.add(child.pid);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        if (!tail.push(chunk)) stop('flood');
      });
      stream?.on('error', () => {});
    }
    child.once('exit', (code, by) => {
      // What the process left behind goes with it; one that fled the group may hold the pipe for ever.
      killGroup(child.pid);
      live.delete(child.pid as number);
      const patience = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, 500);
      child.once('close', () => {
        clearTimeout(patience);
        finish(code ?? -1, by);
      });
    });
  });
}

/** Groups that run now; they are ended when this process exits in an orderly way without having waited for them. */
const live = new Set<number>();
process.on('exit', () => {
  for (const pid of live) killGroup(pid);
});

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
