import { type ChildProcess, fork } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GraderReply, GraderRequest } from './grader-process.ts';
import type { Grade, Grader } from './suite.ts';

/** Far above the few milliseconds that a submission takes. */
const DEADLINE_MS = 60_000;
const RESTARTS = 1;

/**
 * Starts the grader's process for a suite: one, long-lived, with an empty environment, and the only place where
 * answers are read after the suite was checked. Resolves when it is ready. If it dies, what is pending is rejected,
 * and the next submission starts it again, once. A submission that gets no answer is an infrastructure fault, never
 * an invalid grade. `close` waits until the process is gone.
 */
export async function startGrader(suiteDir: string): Promise<Grader> {
  let child = await startChild(suiteDir);
  let restarts = 0;
  let restarting: Promise<GraderChild> | null = null;
  let closed = false;

  async function living(): Promise<GraderChild> {
    if (closed) throw new Error('the grader is closed');
    if (child.alive()) return child;
    if (restarting === null) {
      if (restarts >= RESTARTS) throw new Error(`the grader died more than ${RESTARTS} time`);
      restarts++;
      restarting = startChild(suiteDir);
    }
    child = await restarting;
    restarting = null;
    return child;
  }

  return {
    async grade(taskId, submissionCsv) {
      return (await living()).grade(taskId, submissionCsv);
    },
    async close() {
      closed = true;
      await restarting?.catch(() => {});
      await child.close();
    },
  };
}

type GraderChild = {
  alive(): boolean;
  grade(taskId: string, csv: string): Promise<Grade>;
  close(): Promise<void>;
};

async function startChild(suiteDir: string): Promise<GraderChild> {
  const pending = new Map<number, { resolve(grade: Grade): void; reject(error: Error): void }>();
  let alive = true;
  let nextId = 0;
  let ready: (error?: Error) => void = () => {};
  const child = fork(program(), [resolve(suiteDir)], {
    execArgv: [],
    env: {},
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

  function die(why: string): void {
    alive = false;
    const error = new Error(`the grader's process ${why}`);
    ready(error);
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  }

  child.on('error', (error) => die(`failed: ${error.message}`));
  child.on('exit', (code, signal) => die(`ended (${signal ?? `exit code ${code}`})`));
  child.on('message', (message: GraderReply) => {
    if (message.kind === 'ready') ready();
    else if (message.kind === 'broken') ready(new Error(message.message));
    else {
      const asked = pending.get(message.id);
      pending.delete(message.id);
      if (message.kind === 'graded') asked?.resolve(message.grade);
      else asked?.reject(new Error(message.message));
    }
  });
  await new Promise<void>((done, failed) => {
    ready = (error) => (error === undefined ? done() : failed(error));
  });

  return {
    alive: () => alive,
    grade(taskId, csv) {
      const request: GraderRequest = { id: nextId++, taskId, csv };
      return new Promise<Grade>((resolveGrade, reject) => {
        const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
        const settle =
          <T>(then: (value: T) => void) =>
          (value: T) => {
            clearTimeout(deadline);
            then(value);
          };
        pending.set(request.id, { resolve: settle(resolveGrade), reject: settle(reject) });
        if (!alive) die('is gone');
        else child.send(request, (error) => error !== null && die(`cannot be reached: ${error.message}`));
      });
    },
    close: () => close(child),
  };
}

/** Closes the channel, on which the process ends by itself; kills it after two seconds. */
async function close(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 2000);
  await gone;
  clearTimeout(timer);
}

/** The built program; from the sources, too (tests), since a child process loads no TypeScript. */
function program(): string {
  const here = import.meta.url;
  return fileURLToPath(
    new URL(here.endsWith('.ts') ? '../../dist/suite/grader-process.js' : './grader-process.js', here),
  );
}
