import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import type { JobRecord } from '../jobs/runner.ts';
import { clip, span, table } from '../report/format.ts';
import type { Given } from '../settings.ts';
import { shellWord } from '../shell-word.ts';
import { type LiveJob, liveLog, readLive, trialLog } from '../store/live.ts';
import { writerOf } from '../store/lock.ts';
import { refuseNoRun } from '../store/run-dir.ts';
import { type Context, EXIT } from './context.ts';
import { type Found, findJob, type Known, knownJobs, recordOf, short } from './find-job.ts';

/**
 * `evolve logs RUN [JOB] [-f]`: what a job has printed. JOB is the beginning of its identity, or TRIAL/N with the beginning of
 * a trial's id; without it, a list of jobs. With `-f` the output of a job that runs is followed until it ends.
 */
export async function logs(
  folder: string,
  name: string | undefined,
  flags: Given,
  context: Context,
): Promise<number> {
  refuseNoRun(folder);
  if (name === undefined) {
    if (flags.follow)
      throw new UserError('-f needs a job to follow', `for example: evolve logs ${shellWord(folder)} JOB -f`);
    context.print(listText(await knownJobs(folder)));
    return EXIT.finished;
  }
  const found = await findSoon(folder, name);
  if ('live' in found && flags.follow) return follow(folder, found.live, context);
  const text = textOf('live' in found ? liveLog(folder, found.live.identity) : found.log);
  if (text !== null) show(text, context);
  else context.note('evolve: nothing of its output is known yet');
  return EXIT.finished;
}

/** Finds the job; of one that has just ended, the trial of a run that goes on may be about to keep what it printed. */
async function findSoon(folder: string, name: string): Promise<Exclude<Found, { unkept: unknown }>> {
  for (let looks = 0; ; looks++) {
    const goesOn = writerOf(folder)?.alive === true;
    const found = findJob(folder, name, await knownJobs(folder));
    if (!('unkept' in found)) return found;
    if (!goesOn || looks === PATIENCE) throw found.unkept;
    await sleep(LOOK_MS);
  }
}

const LATEST = 15;

/** The jobs under way, and those that ended last. */
function listText({ live, ended }: Known): string {
  const rows = [
    ...live.map(({ identity, asker, slot, startedAt, askedAt }) => [
      ...[short(identity), asker ? `${asker.trial}/${asker.job}` : '–', clip(asker?.task ?? '–', 28)],
      ...[
        slot === null ? 'waiting' : 'running',
        span(Math.max(0, Date.now() - Date.parse(startedAt ?? askedAt))),
      ],
    ]),
    ...ended
      .slice(-LATEST)
      .map(({ identity, trial, job, task, kind, hit, runMs }) => [
        ...[short(identity), trial ? `${trial}/${job}` : '–', clip(task ?? '–', 28)],
        ...[kind, hit ? 'from the cache' : span(runMs)],
      ]),
  ];
  if (rows.length === 0) return 'no job has been asked for yet';
  return table([['job', 'trial', 'task', '', 'time'], ...rows], [0, 1, 2, 3, 4]);
}

const LOOK_MS = 250;
/** How long is waited for what a trial writes of a job that has ended, looks. */
const PATIENCE = 20;

/** Prints what the job prints until it has ended. Exit code 4 where the run was killed with it, 130 at Ctrl-C. */
async function follow(folder: string, job: LiveJob, context: Context): Promise<number> {
  const interrupted = context.endOfWatching();
  const output = openFollowed(liveLog(folder, job.identity), (text) => show(text, context));
  try {
    for (let live = true; live; ) {
      // First whether it runs, then what it has printed: what comes last is not missed.
      live = isLive(folder, job);
      output.read();
      if (live) await sleep(LOOK_MS, null, { signal: interrupted }).catch(() => {});
      if (interrupted.aborted) return EXIT.interrupted;
    }
    output.end();
    if (writerOf(folder)?.alive === false) {
      context.note(`evolve: the run was killed, and job ${short(job.identity)} with it`);
      return EXIT.inconclusive;
    }
    for (let looks = 0; looks < PATIENCE; looks++) {
      const { ended } = await knownJobs(folder);
      const record = recordOf(ended, job);
      const log = record && !output.told() ? logOf(folder, record) : null;
      const text = log ? textOf(log) : '';
      if (record && text !== null) {
        if (log) show(text, context);
        context.note(`evolve: job ${short(job.identity)} ended: ${record.kind}, after ${span(record.runMs)}`);
        return EXIT.finished;
      }
      await sleep(LOOK_MS);
    }
    return EXIT.finished;
  } finally {
    output.close();
  }
}

function isLive(folder: string, { identity, askedAt }: LiveJob): boolean {
  return (readLive(folder)?.jobs ?? []).some((job) => job.identity === identity && job.askedAt === askedAt);
}

/** Where the log of a job that has ended is to be; null where none will be. */
function logOf(folder: string, { kind, trial, job }: JobRecord): string | null {
  return trial === null || job === null || kind === 'lost' || kind === 'cancelled'
    ? null
    : trialLog(folder, trial, job);
}

/** Reads a file that grows, and may not be there yet; it is read to its end also when it has been taken away. */
function openFollowed(path: string, tell: (text: string) => void) {
  let fd: number | null = null;
  let rest = Buffer.alloc(0);
  let told = false;
  const give = (bytes: Buffer) => {
    if (bytes.length === 0) return;
    told = true;
    tell(bytes.toString('utf8'));
  };
  return {
    read() {
      fd ??= opened(path);
      if (fd === null) return;
      const piece = Buffer.alloc(65_536);
      for (let length = readSync(fd, piece); length > 0; length = readSync(fd, piece)) {
        rest = Buffer.concat([rest, piece.subarray(0, length)]);
      }
      const end = rest.lastIndexOf(0x0a) + 1;
      give(rest.subarray(0, end));
      rest = rest.subarray(end);
    },
    end: () => give(rest),
    told: () => told,
    close: () => fd !== null && closeSync(fd),
  };
}

function opened(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

/** The text of a file, or null where there is none (yet, or any more). */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Prints what a job has written, without what would steer a terminal. */
function show(text: string, context: Context): void {
  const plain = text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '');
  context.print(plain.endsWith('\n') ? plain.slice(0, -1) : plain);
}
