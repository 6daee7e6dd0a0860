import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { JobRecord } from '../jobs/runner.ts';
import { shellWord } from '../shell-word.ts';
import { jobsIn, readJobsLog } from '../store/jobs-log.ts';
import { type LiveJob, readLive, trialLog } from '../store/live.ts';
import { didYouMean } from '../suggest.ts';

/** Jobs that a run has told of: under way, and ended, the latest last. */
export type Known = { live: LiveJob[]; ended: JobRecord[] };

/** Reads them; nothing is under way where no process works on the run. */
export async function knownJobs(folder: string): Promise<Known> {
  const live = readLive(folder)?.jobs ?? [];
  const ended = jobsIn(await readJobsLog(join(folder, 'jobs.jsonl')));
  // What is under way is told once a second, and ends at once; where who asked first has left, it goes on for others.
  const goesOn = (job: LiveJob) => (recordOf(ended, job)?.kind ?? 'cancelled') === 'cancelled';
  return { live: live.filter(goesOn), ended };
}

/** What is noted of a job that was under way, once it has ended. */
export function recordOf(
  ended: readonly JobRecord[],
  { identity, asker, askedAt }: LiveJob,
): JobRecord | undefined {
  // It is noted as asked for in the moment before it is shown; equal jobs may have ended long ago.
  const since = Date.parse(askedAt) - 1000;
  return ended.findLast(
    (job) =>
      job.identity === identity &&
      job.trial === (asker?.trial ?? null) &&
      job.job === (asker?.job ?? null) &&
      Date.parse(job.at) >= since,
  );
}

/**
 * A job that is under way, or has ended: `log` is where its output stands. `unkept`: its trial has not put it there, be it that
 * it is about to or was cut off; the error says so.
 */
export type Found = { live: LiveJob } | { log: string } | { unkept: UserError };

/**
 * The job that `name` means, the beginning of an identity or TRIAL/N. Throws a `UserError` where there is none, there are several,
 * or its output will never be kept.
 */
export function findJob(folder: string, name: string, known: Known): Found {
  return name.includes('/') ? findByTrial(folder, name, known) : findByIdentity(folder, name, known);
}

function findByTrial(folder: string, name: string, known: Known): Found {
  const [, start = '', number = ''] = /^([0-9a-f]{4,})\/(\d+)$/.exec(name) ?? [];
  if (start === '') throw noName(name);
  const dir = join(folder, 'trials');
  const trials = (existsSync(dir) ? readdirSync(dir) : []).filter((id) => id.startsWith(start));
  if (trials.length > 1) throw ambiguous(name, 'trials', trials);
  const [trial] = trials;
  if (trial === undefined) throw new UserError(`${folder} has no trial ${start}`, listHint(folder));
  const live = known.live.find(({ asker }) => asker?.trial === trial && asker.job === Number(number));
  if (live) return { live };
  const log = trialLog(folder, trial, Number(number));
  if (existsSync(log)) return { log };
  const none = new UserError(`trial ${trial} has no job ${number} with a log`, listHint(folder));
  if (known.ended.some((job) => job.trial === trial && job.job === Number(number) && leavesLog(job)))
    return { unkept: none };
  throw none;
}

function findByIdentity(folder: string, name: string, { live, ended }: Known): Found {
  if (!/^[0-9a-f]{4,}$/.test(name)) throw noName(name);
  const fits = ({ identity }: { identity: string }) => identity.startsWith(name);
  const [running, records] = [live.filter(fits), ended.filter(fits)];
  const identities = [...new Set([...running, ...records].map(({ identity }) => identity))];
  if (identities.length > 1) throw ambiguous(name, 'jobs', identities);
  const [identity] = identities;
  if (identity === undefined) {
    const recent = [...live, ...ended.slice(-1000)].map((job) => job.identity.slice(0, name.length));
    throw new UserError(`${folder} has no job ${name}${didYouMean(name, recent)}`, listHint(folder));
  }
  if (running[0]) return { live: running[0] };
  const logs = records.flatMap(({ trial, job }) => (trial && job ? [trialLog(folder, trial, job)] : []));
  const log = logs.findLast((path) => existsSync(path));
  if (log !== undefined) return { log };
  if (logs.length === 0) {
    throw new UserError(
      `${folder} was made by a version of evolve that did not note whose job ${identity} is`,
      'give TRIAL/N; its logs stand in trials/<id>/logs/',
    );
  }
  const last = records.at(-1)!;
  const why = leavesLog(last) ? 'its trial has not written it' : `it was ${last.kind}`;
  const none = new UserError(`no log of job ${identity} is kept: ${why}`, listHint(folder));
  if (leavesLog(last)) return { unkept: none };
  throw none;
}

/** Does a trial keep the output of a job that ended so? */
function leavesLog({ kind }: JobRecord): boolean {
  return kind !== 'lost' && kind !== 'cancelled';
}

function listHint(folder: string): string {
  return `\`evolve logs ${shellWord(folder)}\` lists jobs`;
}

function noName(name: string): UserError {
  return new UserError(
    `'${name}' names no job`,
    'give at least 4 hex digits of its identity, or TRIAL/N, such as 3f0a/2',
  );
}

function ambiguous(name: string, what: string, all: readonly string[]): UserError {
  const some = all.slice(0, 8).map(short).join(', ');
  return new UserError(
    `'${name}' fits ${all.length} ${what}`,
    `give more of it: ${some}${all.length > 8 ? ' …' : ''}`,
  );
}

/** The beginning of an id, as people are shown it. */
export function short(id: string): string {
  return id.slice(0, 12);
}
