import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { sha256 } from '../../json.ts';
import type { JobSpec } from '../job.ts';
import { cancelled, lost } from '../result.ts';
import { isOrdered, writeOrder } from './job-folder.ts';
import { nodeCommand, outputPattern } from './node-command.ts';
import type { OpenJob, OpenJobs } from './open-jobs.ts';
import { patience } from './patience.ts';
import { type Answer, isMeant, type Slurm } from './programs.ts';
import { askArraySize } from './queue.ts';
import { fixedOptions, namesOf, placeOptions, resourceOptions } from './request.ts';
import type { Clock, SlurmOptions } from './settings.ts';
import type { Submissions } from './submissions.ts';

/** Submits what is queued, so much at once as can stand in one array. */
export type Submitter = {
  /** Submits one array, if it is time to. */
  step(): Promise<void>;
  /** When it is time to, on the clock; infinite while nothing is queued, or as much is under way as may be at once. */
  due(): number;
  /** Slurm has what it did not answer to: it was not away, or is no more. */
  answered(): void;
  /** Nothing is to be submitted, nor asked after. */
  rest(): void;
};

export type Submitting = {
  slurm: Slurm;
  submissions: Submissions;
  jobs: OpenJobs;
  clock: Clock;
  /** The batch script. */
  script: string;
  say: (line: string) => void;
  /** No further job can be submitted. */
  stop: (reason: string, hint: string) => void;
};

/** Jobs that can stand in one array: they ask for the same. */
type Kind = {
  /** How many may be submitted at once: fewer after Slurm had no room for so many. */
  room: number;
  /** When Slurm last had no room for any, on the clock; -1 where it has. */
  fullAt: number;
};

/** Between two submissions, ms: a controller serves everybody. */
const SUBMIT_MS = 1000;
/** How often what Slurm says is heard before it counts, where it is not known to be meant. */
const TRIES = 4;

const REFUSED =
  'set `slurm` (partition, account, qos, extra …) in the config file, or ask who runs the cluster';
const AWAY = 'ask who runs the cluster';

export function submitter(options: SlurmOptions, parts: Submitting): Submitter {
  const { folder, settings, hidden, needsSandbox } = options;
  const { slurm, jobs, clock, say, stop } = parts;
  const controller = patience(settings.pollMs, settings.maxPauseMs, say);
  let next = 0;
  let most: number | undefined;
  const kinds = new Map<string, Kind>();
  let tries = 0;
  let toldFull = false;
  /** Since when Slurm has had no room although it has nothing of ours, on the clock. */
  let fullSince: number | null = null;

  const queued = () => jobs.all().filter(({ phase }) => phase === 'queued');

  const kindOf = ({ spec }: OpenJob): Kind => {
    const key = resourceOptions(spec, settings).join(' ');
    const kind = kinds.get(key) ?? { room: Number.POSITIVE_INFINITY, fullAt: -1 };
    kinds.set(key, kind);
    return kind;
  };

  /** How many more may be under way: a limit on one array would bound no run, which submits one after the other. */
  const free = () => (settings.atOnce ?? Number.POSITIVE_INFINITY) - (jobs.all().length - queued().length);

  const due = () =>
    free() <= 0
      ? Number.POSITIVE_INFINITY
      : Math.max(next, Math.min(...queued().map(({ askedAt }) => askedAt)) + settings.batchMs);

  /** Those that go next: of the kind that has been refused room the longest ago, or never. */
  const oneArray = (most: number): OpenJob[] => {
    const [first] = queued().sort((a, b) => kindOf(a).fullAt - kindOf(b).fullAt);
    if (!first) return [];
    const kind = kindOf(first);
    return queued()
      .filter((job) => kindOf(job) === kind)
      .slice(0, Math.min(most, kind.room, free()));
  };

  const answered = (): void => {
    controller.answered(clock.now());
    fullSince = null;
  };

  const rest = (): void => {
    controller.rest();
    fullSince = null;
  };

  const step = async (): Promise<void> => {
    if (clock.now() < due()) return;
    most ??= await askArraySize(slurm);
    const array = oneArray(most);
    for (const job of array) job.phase = 'submitting';
    const written = await Promise.all(array.map(write));
    const chosen = array.filter((_, i) => written[i]);
    if (chosen.length === 0) return;
    const answer = await submitArray(parts, options, chosen).catch((error: unknown) => {
      for (const job of chosen) jobs.finish(job, lost(messageOf(error)));
      return null;
    });
    next = clock.now() + SUBMIT_MS;
    if (answer === null) return;
    for (const job of chosen) {
      job.asks = 0;
      job.phase = answer.kind === 'ok' ? 'submitted' : answer.kind === 'away' ? 'asking' : 'queued';
      if (job.signal.aborted) jobs.callOff(job);
    }
    const kind = kindOf(chosen[0] as OpenJob);
    if (answer.kind !== 'full') fullSince = null;
    if (answer.kind !== 'away') controller.answered(clock.now());
    if (answer.kind !== 'ok') return missed(answer, kind, chosen.length);
    tries = 0;
    kind.room *= 2;
    kind.fullAt = -1;
  };

  const missed = (answer: Exclude<Answer, { kind: 'ok' }>, of: Kind, asked: number): void => {
    const { kind, said } = answer;
    if (kind === 'refused') {
      if (isMeant(said) || ++tries >= TRIES) stop(`Slurm refuses jobs: ${said}`, REFUSED);
      next = clock.now() + Math.max(SUBMIT_MS, settings.pollMs);
    } else if (kind === 'away') {
      const waitMs = controller.failed(clock.now(), said);
      if (waitMs === null) stop(`Slurm takes no jobs: ${said}`, AWAY);
      next = clock.now() + Math.max(SUBMIT_MS, waitMs ?? 0);
    } else {
      of.room = Math.max(1, Math.floor(asked / 2));
      if (asked === 1) of.fullAt = clock.now();
      const hopes = queued().some((job) => kindOf(job).fullAt < 0);
      next = clock.now() + Math.max(SUBMIT_MS, hopes ? 0 : settings.pollMs);
      if (!toldFull) say(`Slurm takes no more jobs for now (${said}); further ones wait`);
      toldFull = true;
      // Ours will end and make room; for others' there is an end to patience.
      const waits = jobs.all().every(({ phase }) => phase === 'queued');
      fullSince = waits ? (fullSince ?? clock.now()) : null;
      const over = fullSince !== null && clock.now() >= fullSince + settings.maxPauseMs;
      if (over) stop(`Slurm takes no jobs: ${said}`, REFUSED);
    }
  };

  /** Writes a job's folder; false when the job has come to its end by that. */
  const write = async (job: OpenJob): Promise<boolean> => {
    try {
      // Written before: it may have been submitted, and then it is in use.
      if (!isOrdered(folder, job.name)) await writeOrder(folder, job.name, job.spec, hidden, needsSandbox);
      if (job.signal.aborted) jobs.finish(job, cancelled());
    } catch (error) {
      jobs.finish(job, lost(messageOf(error)));
    }
    return jobs.get(job.name) !== undefined;
  };

  return { step, due, answered, rest };
}

/**
 * Submits jobs (by name, their folders written) as one array. What is about to be done is on disk before it is. `ok`: the
 * array is known by its number; `away`: nobody can say whether it is there.
 */
async function submitArray(
  { slurm, submissions, script }: Submitting,
  { folder, run, settings }: SlurmOptions,
  jobs: readonly { name: string; spec: JobSpec }[],
): Promise<Answer> {
  const names = jobs.map(({ name }) => name);
  const hash = sha256(names.join(' '), 12);
  const batch = submissions.intend(`${namesOf(run)}${hash}`, names);
  await writeFile(join(folder, 'batches', `${hash}.json`), JSON.stringify(names));
  const throttle = settings.atOnce === null ? '' : `%${settings.atOnce}`;
  const answer = await slurm('sbatch', [
    '--parsable',
    `--array=0-${names.length - 1}${throttle}`,
    `--job-name=${batch.name}`,
    `--comment=evolve run ${run}, batch ${hash}`,
    `--chdir=${folder}`,
    `--output=${outputPattern(join(folder, 'said'))}/${hash}-%a.log`,
    ...fixedOptions,
    ...resourceOptions((jobs[0] as { spec: JobSpec }).spec, settings),
    ...placeOptions(settings),
    script,
    ...nodeCommand('job', folder, hash),
  ]);
  if (answer.kind !== 'ok') return answer;
  const id = /^(\d+)(;\S+)?$/m.exec(answer.text)?.[1];
  if (id === undefined) return { kind: 'away', said: 'sbatch: its answer cannot be read' };
  submissions.found(batch, id);
  return answer;
}
