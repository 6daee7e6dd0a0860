import { type ChildProcess, spawn } from 'node:child_process';
import { LineReader } from './line-reader.ts';
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

/** How a process ended. `signal` is what ended it, null after an exit; `cause` is why it is no more; `waiting`: so it was at its deadline. */
export type Ended = {
  cause: 'exit' | 'deadline' | 'waiting' | 'cancelled' | 'flood' | 'not-started' | Stop;
  code: number;
  signal: NodeJS.Signals | null;
  output: string;
  /** Why it was not started; else empty. */
  error: string;
  ms: number;
};

/** Why a guard has a process stopped. */
export type Stop = 'pruned' | 'memory' | 'processes' | 'disk' | 'files';

/** Whence a line came, and whether a carriage return ended it, as the lines of a progress bar. */
export type LineOf = { stream: 'stdout' | 'stderr'; overwritten: boolean };

/** Looks on while a process runs. Must not throw. */
export type Guard = {
  /** Takes each complete line of its output, without its end; says why to stop it, or null. */
  line(text: string, from: LineOf): Stop | null;
  /** Looks at the process with this number and at what it started; not before 200 ms, so that short ones cost nothing. */
  look(pid: number): Stop | null;
  /** Does it, at its deadline, wait by itself, not for its share of the machine? */
  waits(pid: number): boolean;
  /** The process has ended, and its group with it: ends what has left that. */
  end(pid: number): void;
};

/** A process that prints more than this is stopped: nobody reads it, and the reader would be kept busy. */
export const floodBytes = 64 * 2 ** 20;

/**
 * Runs a process in a group of its own and ends the whole group with it: at exit, deadline, abort, or a flood of
 * output. Output is stdout and then stderr, of one that
 * exits with 0 the other way round; of one that is `pruned` it is stdout alone, up to the line that stopped it. Resolves when the process has ended, its group has been killed, and its output is read: all of it, or what
 * came within half a second where something that left the group still holds it open. Never rejects.
 */
export function runProcess(spec: ProcessSpec, signal?: AbortSignal, guard?: Guard): Promise<Ended> {
  const began = performance.now();
  return new Promise((resolve) => {
    const tails = {
      stdout: new Tail(spec.outputBytes, floodBytes),
      stderr: new Tail(spec.outputBytes, floodBytes),
    };
    // In what order two pipes are read, and what had come of stderr when a line of stdout stops the process, is chance.
    // What matters most stands last, since the end of a log is kept: of a failure what it complains of.
    const output = (code: number): string => {
      const [said, complained] = [tails.stdout.text(), tails.stderr.text()];
      if (cause === 'pruned') return said;
      return cause === 'exit' && code === 0 ? complained + said : said + complained;
    };
    const reader = (stream: LineOf['stream']) =>
      guard && new LineReader((line, overwritten) => heed(guard.line(line, { stream, overwritten })));
    const readers = { stdout: reader('stdout'), stderr: reader('stderr') };
    let cause: Ended['cause'] = 'exit';
    let child: ChildProcess;
    const finish = (code: number, by: NodeJS.Signals | null, error = '') => {
      clearTimeout(timer);
      clearTimeout(watch);
      signal?.removeEventListener('abort', onAbort);
      resolve({ cause, code, signal: by, output: output(code), error, ms: performance.now() - began });
    };
    const stop = (why: Ended['cause']) => {
      if (cause === 'exit') cause = why;
      if (live.has(child.pid as number)) killGroup(child.pid);
    };
    const heed = (why: Stop | null): boolean => {
      if (why !== null) stop(why);
      return why === null;
    };
    const look = () => {
      const began = performance.now();
      const goesOn = heed(guard?.look(child.pid as number) ?? null);
      // All looks together take no more than a twentieth of the time.
      const took = performance.now() - began;
      if (goesOn) watch = setTimeout(look, Math.max(100, 20 * live.size * took));
    };
    let watch: NodeJS.Timeout | undefined;
    const onAbort = () => stop('cancelled');
    const expire = () => {
      const left = spec.seconds * 1000 - (performance.now() - began);
      if (left <= 0) stop(guard?.waits(child.pid as number) ? 'waiting' : 'deadline');
      else timer = setTimeout(expire, Math.min(left, longestTimer));
    };
    let timer: NodeJS.Timeout | undefined;
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
    expire();
    if (guard) watch = setTimeout(look, 200);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = child[name];
      stream?.on('data', (chunk: Buffer) => {
        // What it prints after a line for which it was stopped depends on how fast we are: it is no part of its log.
        if (cause === 'pruned' || cause === 'flood') return;
        const heard = chunk.subarray(0, readers[name]?.push(chunk));
        if (!tails[name].push(heard)) stop('flood');
      });
      stream?.on('error', () => {});
    }
    child.once('exit', (code, by) => {
      // What the process left behind goes with it; one that fled the group may hold the pipe for ever.
      killGroup(child.pid);
      live.delete(child.pid as number);
      clearTimeout(watch);
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      guard?.end(child.pid as number);
      const patience = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, 500);
      child.once('close', () => {
        clearTimeout(patience);
        for (const lines of Object.values(readers)) if (cause !== 'pruned' && cause !== 'flood') lines?.end();
        finish(code ?? -1, by);
      });
    });
  });
}

/** A timer of more milliseconds fires at once. */
const longestTimer = 2 ** 31 - 1;

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
