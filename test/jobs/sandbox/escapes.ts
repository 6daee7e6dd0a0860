import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { closeSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { identify } from '../../../src/jobs/identify.ts';
import type { JobRunner, JobSpec } from '../../../src/jobs/job.ts';
import { localRunner } from '../../../src/jobs/local/local.ts';
import { Tail } from '../../../src/jobs/process/tail.ts';
import { findPython } from '../../../src/jobs/sandbox/python.ts';
import { which } from '../../../src/jobs/sandbox/which.ts';
import type { Escape, Ran } from './escapes/escape.ts';
import { exhausting } from './escapes/exhausting.ts';
import { leaving } from './escapes/leaving.ts';
import { openGround, type Place } from './escapes/place.ts';
import { reaching } from './escapes/reaching.ts';
import { reading } from './escapes/reading.ts';

/** What an agent's code may try, each of which works for a bare process and must fail within the sandbox. */
export const escapes: readonly Escape[] = [...reading, ...reaching, ...leaving, ...exhausting];

/** A process as any program starts one; a job without a sandbox; a job within it. */
export type Way = 'bare' | 'none' | 'auto';

export type Range = {
  /** Tries it: did it succeed? What it changed is put right again. */
  attempt: (tried: Escape, way: Way) => Promise<boolean>;
  close: () => Promise<void>;
};

/** A place to try escapes at, one after the other, and runners of jobs that hold the decoy key in their environment. */
export async function openRange(): Promise<Range> {
  const { place, restore, remove } = await openGround();
  const { home, token } = place;
  const before = { PATH: process.env.PATH, ESCAPE_CANARY: process.env.ESCAPE_CANARY };
  Object.assign(process.env, { PATH: `${home}/bin:${before.PATH}`, ESCAPE_CANARY: token });
  const open = (sandbox: 'auto' | 'none', limits: 'auto' | 'watch') =>
    localRunner({ cacheDir: null, sandbox, limits });
  const runners = {
    auto: { held: open('auto', 'auto'), watched: open('auto', 'watch') },
    none: { held: open('none', 'auto'), watched: open('none', 'watch') },
  };
  return {
    async attempt(tried, way) {
      const undo = tried.setUp?.(place);
      const level = tried.watched ? 'watched' : 'held';
      try {
        const ran = await (way === 'bare'
          ? runBare(tried, place)
          : runJobs(tried, place, runners[way][level]));
        return (await tried.got?.(place, ran)) ?? (ran.log.includes(token) || ran.log.includes('GOT OUT'));
      } finally {
        undo?.();
        await restore();
      }
    },
    async close() {
      const all = Object.values(runners).flatMap(({ held, watched }) => [held, watched]);
      await Promise.all(all.map((jobs) => jobs.close()));
      process.env.PATH = before.PATH;
      if (before.ESCAPE_CANARY === undefined) delete process.env.ESCAPE_CANARY;
      await remove();
    },
  };
}

/** Why it cannot be tried on this machine; null where it can. */
export async function whyNotHere({ needs = [], language, setUp }: Escape): Promise<string | null> {
  if (process.platform !== 'linux') return 'for Linux';
  if (needs.includes('root') && process.getuid?.() !== 0) return 'only root could do it without a sandbox';
  const missing = (['script', 'unshare', 'nsenter'] as const).find(
    (name) => needs.includes(name) && which(name) === null,
  );
  if (missing) return `${missing} is not installed`;
  if (language === 'python' && ((await findPython()).python === null || (setUp && which('python3') === null)))
    return 'no Python';
  return null;
}

/** Writes the program, with what it is told before it, into the job's folder; its name. For `patienceMs` it holds what it has taken. */
function writeProgram(text: string, { language }: Escape, place: Place, patienceMs: number): string {
  const extra = { key: Number.parseInt(place.token.slice(0, 7), 16), ...place.extra };
  const told = JSON.stringify({ ...place, extra, patienceMs, token: undefined });
  const node = `import cp from 'node:child_process'; import dgram from 'node:dgram'; import fs from 'node:fs';
import net from 'node:net'; import os from 'node:os'; import path from 'node:path';
const P = ${told}; const say = (text) => console.log(String(text)); const out = () => say('GOT OUT');
${text}`;
  const python = `import ctypes, json, os, sys
P = json.loads(${JSON.stringify(told)}); libc = ctypes.CDLL(None, use_errno=True)
KEYS = (248, 250) if os.uname().machine == 'x86_64' else (217, 219)
def say(text): print(text, flush=True)
def out(): say('GOT OUT')
${text}`;
  const file = language === 'node' ? 'main.mjs' : 'main.py';
  writeFileSync(join(place.folder, file), language === 'node' ? node : python);
  return file;
}

async function runJobs(tried: Escape, place: Place, jobs: JobRunner): Promise<Ran> {
  let ran: Ran = { log: '', kind: '' };
  for (const text of [tried.program, tried.later]) {
    if (text === undefined) continue;
    // Whoever watches it may be held up on a busy machine; a bare process is not watched.
    const file = writeProgram(text, tried, place, 20_000);
    const spec: JobSpec = {
      command: [tried.language, file],
      folder: place.folder,
      data: { dir: dirname(place.data), hash: place.token },
      outputs: tried.outputs ?? [],
      limits: { seconds: tried.seconds ?? 20, memoryMb: 256, outputBytes: 64_000, diskMb: 64, processes: 64 },
      ...(tried.language === 'python' ? { runtime: 'python' as const } : {}),
      gpus: 0,
      retries: 0,
    };
    ran = await jobs.run(spec, identify(spec));
    if (ran.kind === 'lost') throw new Error(`the job was lost: ${JSON.stringify(ran)}`);
  }
  return ran;
}

/** With the environment of this process, in the trial's folder itself, and nobody who clears up. */
async function runBare(tried: Escape, place: Place): Promise<Ran> {
  symlinkSync(dirname(place.data), join(place.folder, 'data'));
  let ran: Ran = { log: '', kind: '' };
  for (const text of [tried.program, tried.later]) {
    if (text === undefined) continue;
    const file = writeProgram(text, tried, place, 300);
    const interpreter = tried.language === 'node' ? 'node' : ((await findPython()).python?.path as string);
    ran = await startBare([interpreter, file], tried, place);
  }
  return ran;
}

async function startBare(argv: string[], { terminal, seconds = 20 }: Escape, place: Place): Promise<Ran> {
  const held = openSync(place.answers, 'r');
  const wrapped = terminal ? ['script', '-qec', argv.join(' '), '/dev/null'] : argv;
  // A shell that stays is the parent whose environment it may look at.
  const child = spawn('/bin/sh', ['-c', '"$@"; exit $?', 'sh', ...wrapped], {
    cwd: place.folder,
    env: { ...process.env, HOME: place.home },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', held],
  }) as ChildProcessByStdio<null, Readable, Readable>;
  closeSync(held);
  const tail = new Tail(64_000, Number.POSITIVE_INFINITY);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => tail.push(chunk));
  let kind = 'ended';
  const timer = setTimeout(() => {
    kind = 'running';
    process.kill(-(child.pid as number), 'SIGKILL');
  }, 1000 * seconds);
  await new Promise((done) => child.once('exit', () => setTimeout(done, 20)));
  clearTimeout(timer);
  child.stdout.destroy();
  child.stderr.destroy();
  return { log: tail.text(), kind };
}
