import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { JobSpec } from '../job.ts';
import type { Containment } from '../process/execute.ts';
import { cancelled, lost, type Result } from '../result.ts';
import type { ExecutorReply, ExecutorRequest } from './executor-process.ts';

/**
 * Runs jobs from a small process of its own. To start a process is to copy the starter's page tables, which for a main
 * thread of 350 MB takes ten milliseconds a job, and for this one less than one; and it outlives us for long enough to
 * end what we had started.
 */
export type Executor = {
  /** Never rejects; `say` is told the output of a job that takes long. Should the process end, what it ran is lost, and the next job starts another. */
  execute(
    spec: JobSpec,
    identity: string,
    gpus: string[],
    signal: AbortSignal,
    say?: (text: string) => void,
  ): Promise<Executed>;
  /** Ends the process and waits for it. */
  close(): Promise<void>;
};

/** A result; `dir` holds its large outputs and is the receiver's to remove, null if there are none. */
export type Executed = { result: Result; dir: string | null };

type Waiting = { settle(executed: Executed): void; say: ((text: string) => void) | undefined };

/** `cacheDir` is where large jobs find room for their scratch folders; null for the temporary folder. */
export function startExecutor(containment: Containment, cacheDir: string | null): Executor {
  const waiting = new Map<number, Waiting>();
  let child: ChildProcess | null = null;
  let asked = 0;

  const settle = (id: number, executed: Executed) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    // It holds this process open only while something is awaited.
    if (waiting.size === 0) child?.channel?.unref();
    asker?.settle(executed);
  };
  const fail = (id: number, reason: string) => settle(id, { result: lost(reason), dir: null });

  const start = (): ChildProcess => {
    // No environment but what finds programs and folders, so that no job can read a key there; and a session of its
    // own, out of Ctrl-C's reach.
    const { PATH, TMPDIR, EVOLVE_PYTHON } = process.env;
    const env = {
      PATH,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      ...(EVOLVE_PYTHON === undefined ? {} : { EVOLVE_PYTHON }),
    };
    const stdio: ['ignore', 'ignore', 'inherit', 'ipc'] = ['ignore', 'ignore', 'inherit', 'ipc'];
    const started = fork(program(), { execArgv: [], env, detached: true, stdio });
    const gone = () => {
      if (child !== started) return;
      child = null;
      for (const id of [...waiting.keys()]) fail(id, 'the process that runs jobs has ended');
    };
    started.on('message', (reply: ExecutorReply) => {
      if (reply.kind === 'output') waiting.get(reply.id)?.say?.(reply.text);
      else settle(reply.id, { result: reply.result, dir: reply.dir });
    });
    started.once('error', gone);
    started.once('exit', gone);
    started.unref();
    const opening: ExecutorRequest = { kind: 'open', containment, cacheDir };
    started.send(opening, () => {});
    return started;
  };

  return {
    execute(spec, identity, gpus, signal, say) {
      if (signal.aborted) return Promise.resolve({ result: cancelled(), dir: null });
      child ??= start();
      const runner = child;
      const id = ++asked;
      const send = (request: ExecutorRequest) =>
        runner.send(request, (error) => error && fail(id, `the process that runs jobs: ${error.message}`));
      return new Promise((resolve) => {
        const cancel = () => send({ kind: 'cancel', id });
        waiting.set(id, {
          say,
          settle(executed) {
            signal.removeEventListener('abort', cancel);
            resolve(executed);
          },
        });
        signal.addEventListener('abort', cancel, { once: true });
        runner.channel?.ref();
        send({ kind: 'run', id, spec, identity, gpus });
      });
    },
    async close() {
      const ending = child;
      if (ending === null) return;
      const gone = new Promise((done) => ending.once('exit', done));
      ending.ref();
      if (ending.connected) ending.disconnect();
      await gone;
    },
  };
}

/** The built program; from the sources, too (tests), since a child process loads no TypeScript. */
function program(): string {
  const here = import.meta.url;
  const built = here.endsWith('.ts')
    ? '../../../dist/jobs/local/executor-process.js'
    : './executor-process.js';
  return fileURLToPath(new URL(built, here));
}
