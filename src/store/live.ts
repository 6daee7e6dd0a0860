import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Asker } from '../jobs/job.ts';
import type { JobLive } from '../jobs/runner.ts';
import { redact } from '../secrets.ts';
import { writerOf } from './lock.ts';

/** A job under way: it waits for a slot, or runs. Times are ISO 8601. */
export type LiveJob = {
  identity: string;
  /** Who asked first; null where that is not known. */
  asker: Asker | null;
  command: string;
  gpus: number;
  askedAt: string;
  /** Both null while it waits. */
  startedAt: string | null;
  slot: string | null;
};

/** What `live.json` holds while a process works on the run. */
export type Live = { slots: { busy: number; slots: number }; jobs: LiveJob[] };

/** Shows other processes what jobs do, in `live.json` and `live/` of the run's folder; nothing of the run depends on it. */
export type LiveBoard = {
  /** To be called with all that the runner tells. Never throws: what cannot be written is not shown. */
  news(news: JobLive): void;
  /** How many jobs run and wait now, and for how long the oldest of them has been under way, ms. */
  underWay(): { running: number; waiting: number; oldestMs: number };
  /** Takes all of it away. */
  close(): Promise<void>;
};

export type LiveOptions = {
  usage: () => Live['slots'];
  /** How long changes are gathered before `live.json` is replaced, ms. */
  everyMs?: number;
};

/**
 * A board for the run in `dir`, whose lock the caller holds; what a process that was killed left is taken away.
 * `live.json` is replaced once a second at most, and only when it says something else. What a job prints is appended to
 * `live/<identity>.log`, which goes when the trial has its log.
 */
export function openLive(dir: string, { usage, everyMs = 1000 }: LiveOptions): LiveBoard {
  const jobs = new Map<string, LiveJob>();
  const outputs = new Map<string, Output>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let shown = '';
  let closed = false;
  clear(dir);

  const show = async () => {
    timer = undefined;
    for (const [identity, output] of outputs) {
      if (output.log === null) continue;
      // Who asked first may have left; then no trial of his will ever have it.
      if (existsSync(output.log) || ++output.looks > MOST_LOOKS) drop(identity);
      else changed();
    }
    const { busy, slots } = usage();
    const text = redact(JSON.stringify({ slots: { busy, slots }, jobs: [...jobs.values()] } satisfies Live));
    if (text === shown) return;
    const temporary = join(dir, `live.json.${randomUUID()}.tmp`);
    try {
      await writeFile(temporary, text);
      await rename(temporary, join(dir, 'live.json'));
      shown = text;
    } catch {
      await rm(temporary, { force: true }).catch(() => {});
    }
  };
  const changed = () => {
    if (closed) return;
    timer ??= setTimeout(() => {
      writing = writing.then(show);
    }, everyMs).unref();
  };
  const drop = (identity: string) => {
    const output = outputs.get(identity);
    outputs.delete(identity);
    if (output === undefined) return;
    output.close();
    try {
      rmSync(liveLog(dir, identity), { force: true });
    } catch {
      // It goes with the others at the end.
    }
  };

  return {
    news(news) {
      if (closed) return;
      const { identity, asker } = news;
      const job = jobs.get(identity);
      if (news.kind === 'output') {
        if (!outputs.has(identity)) outputs.set(identity, openOutput(dir, identity));
        outputs.get(identity)?.append(news.text);
        return;
      }
      if (news.kind === 'waiting') {
        drop(identity);
        const command = news.command.join(' ').slice(0, LONGEST_COMMAND);
        const askedAt = new Date().toISOString();
        const { gpus } = news;
        jobs.set(identity, { identity, asker, command, gpus, askedAt, startedAt: null, slot: null });
      } else if (news.kind === 'started' && job) {
        jobs.set(identity, { ...job, startedAt: new Date().toISOString(), slot: news.slot });
      } else if (news.kind === 'ended') {
        jobs.delete(identity);
        const keeps = asker !== null && news.outcome !== 'lost' && news.outcome !== 'cancelled';
        const output = outputs.get(identity);
        if (keeps && output) output.log = trialLog(dir, asker.trial, asker.job);
        else drop(identity);
      }
      changed();
    },
    underWay() {
      const all = [...jobs.values()];
      const running = all.filter(({ slot }) => slot !== null).length;
      const oldest = all[0] === undefined ? Date.now() : Date.parse(all[0].askedAt);
      return { running, waiting: all.length - running, oldestMs: Date.now() - oldest };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await writing;
      for (const output of outputs.values()) output.close();
      clear(dir);
    },
  };
}

/** What is under way in the run in `dir`; null where no process works on it, or none of its jobs has been asked for. */
export function readLive(dir: string): Live | null {
  if (writerOf(dir)?.alive !== true) return null;
  try {
    return JSON.parse(readFileSync(join(dir, 'live.json'), 'utf8')) as Live;
  } catch {
    return null;
  }
}

/** Where a job's output stands while it runs; there from its first output on. */
export function liveLog(dir: string, identity: string): string {
  return join(dir, 'live', `${identity}.log`);
}

/** Where the output of job N of a trial stands when it has ended. */
export function trialLog(dir: string, trial: string, job: number): string {
  return join(dir, 'trials', trial, 'logs', `job-${job}.log`);
}

type Output = {
  append(text: string): void;
  close(): void;
  /** Where the trial will have the output, once the job has ended. */
  log: string | null;
  /** How often it was looked for there. */
  looks: number;
};

const MOST_LOOKS = 30;
const LONGEST_COMMAND = 300;
/** A job's output is shown up to here, in bytes. */
const MOST_OUTPUT = 2 ** 20;

function openOutput(dir: string, identity: string): Output {
  let fd: number | null = null;
  try {
    mkdirSync(join(dir, 'live'), { recursive: true });
    fd = openSync(liveLog(dir, identity), 'w');
  } catch {}
  let bytes = 0;
  return {
    append(text) {
      if (fd === null || bytes >= MOST_OUTPUT) return;
      const buffer = Buffer.from(redact(text));
      const kept = buffer.subarray(0, MOST_OUTPUT - bytes);
      bytes += kept.length;
      try {
        writeSync(fd, kept);
      } catch {
        bytes = MOST_OUTPUT;
      }
    },
    close() {
      if (fd !== null) closeSync(fd);
      fd = null;
    },
    log: null,
    looks: 0,
  };
}

/** Best effort: what cannot be taken away is written over. */
function clear(dir: string): void {
  try {
    rmSync(join(dir, 'live.json'), { force: true });
    rmSync(join(dir, 'live'), { recursive: true, force: true });
  } catch {}
}
