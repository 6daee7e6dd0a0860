import { join } from 'node:path';
import { cancelled } from '../result.ts';
import { withoutResult } from './conclude.ts';
import { claimedBy, folderOf, names } from './job-folder.ts';
import { type OpenJob, type OpenJobs, readFrom } from './open-jobs.ts';
import type { TaskLine } from './queue.ts';
import type { Clock } from './settings.ts';
import { hasBegun, isAlive, stuckBecause } from './states.ts';
import type { Submissions } from './submissions.ts';

/** What is known of a run's jobs, from the shared folder and from Slurm. */
export type Watch = {
  /** Takes the results that nodes have left. True when Slurm should be asked at once how a job has ended. */
  look(): boolean;
  /**
   * Goes by an answer of squeue: who has begun, who waits in vain, who is over. Gives the tasks (`<array>_<index>`) that still
   * run, or will, although nobody wants them.
   */
  update(lines: readonly TaskLine[]): Promise<string[]>;
};

export type Watching = {
  shared: string;
  jobs: OpenJobs;
  submissions: Submissions;
  clock: Clock;
  /** Slurm has a job of which nobody could say so. */
  found: () => void;
  /** States of tasks that squeue does not know. */
  history: (tasks: readonly string[]) => Promise<Map<string, string>>;
  say: (line: string) => void;
};

/** How long a shared disk may keep back what a node has written, ms: for so long NFS may remember that a file was not there. */
const DISK_MS = 60_000;
/** How often Slurm must have said that a job is not there before it is submitted again. */
export const ASKS = 2;

export function watchJobs({ shared, jobs, submissions, clock, found, history, say }: Watching): Watch {
  const told = new Set<string>();

  const update = async (lines: readonly TaskLine[]): Promise<string[]> => {
    const unwanted: string[] = [];
    const tasksOf = new Map<string, TaskLine[]>();
    for (const line of lines) {
      const batch = submissions.named(line.name);
      const job = batch?.jobs[line.index];
      if (!batch || job === undefined) continue;
      submissions.found(batch, line.id);
      tasksOf.set(job, [...(tasksOf.get(job) ?? []), line]);
      // Its cancel has not come through; of jobs that are not asked for yet, an earlier process knows.
      if (jobs.isDropped(job) && isAlive(line.state)) unwanted.push(taskName(line));
    }
    const missing: OpenJob[] = [];
    for (const job of jobs.all()) {
      if (job.phase === 'asking') findOut(job);
      if (job.phase !== 'submitted' || !jobs.get(job.name)) continue;
      const tasks = tasksOf.get(job.name) ?? [];
      const alive = tasks.filter(({ state }) => isAlive(state));
      if (alive.length > 0) observe(job, alive);
      else if (tasks.length > 0) over(job, lastState(job, tasks));
      else missing.push(job);
      if (job.signal.aborted) unwanted.push(...alive.map(taskName));
    }
    if (missing.length > 0) await lookBack(missing);
    return unwanted;
  };

  /** Was a job of which nobody can say so submitted? */
  const findOut = (job: OpenJob): void => {
    const places = submissions.placesOf(job.name);
    const by = claimedBy(shared, job.name);
    const last = places.at(-1);
    if (by && last) submissions.found(last.batch, by.job.split('_')[0] as string);
    if (places.some(({ batch }) => batch.ids.length > 0)) {
      job.phase = 'submitted';
      found();
    } else if (++job.asks >= ASKS) {
      if (job.signal.aborted) jobs.finish(job, cancelled());
      else job.phase = 'queued';
    }
  };

  const observe = (job: OpenJob, alive: readonly TaskLine[]): void => {
    job.overSince = null;
    const task = (alive.find(({ state }) => hasBegun(state)) ?? alive[0]) as TaskLine;
    if (hasBegun(task.state)) {
      jobs.begin(job, taskName(task), task.node);
      jobs.follow(job);
    }
    const stuck = stuckBecause(task.state, task.reason);
    if (stuck === null || told.has(stuck)) return;
    told.add(stuck);
    say(`Slurm does not start job ${taskName(task)}: ${stuck}; a person must see to it`);
  };

  const lookBack = async (missing: readonly OpenJob[]): Promise<void> => {
    const tasksOf = (job: OpenJob) =>
      submissions.placesOf(job.name).flatMap(({ batch, index }) => batch.ids.map((id) => `${id}_${index}`));
    const states = await history(missing.flatMap(tasksOf));
    for (const job of missing) {
      const known = tasksOf(job).flatMap((task) => states.get(task) ?? []);
      if (!known.some(isAlive)) over(job, known.at(-1) ?? null);
    }
  };

  /** Nothing of the job runs any more; its result may take a while to be seen from here. */
  const over = (job: OpenJob, state: string | null): void => {
    const now = clock.now();
    job.overSince ??= now;
    if (job.signal.aborted) jobs.finish(job, cancelled());
    else if (!jobs.take(job, state) && now >= job.overSince + DISK_MS) conclude(job, state, job.overSince);
  };

  const conclude = (job: OpenJob, state: string | null, since: number): void => {
    const log = readFrom(join(folderOf(shared, job.name), 'output.log'), 0).toString('utf8');
    const ms = Math.round(since - (job.startedAt ?? since));
    jobs.finish(job, withoutResult(job.spec, { state, log, ms, said: lastWords(job) }));
  };

  /** The state of the task that has the job, should several have been submitted. */
  const lastState = (job: OpenJob, tasks: readonly TaskLine[]): string => {
    const by = claimedBy(shared, job.name)?.job;
    return (tasks.find((task) => taskName(task) === by) ?? (tasks.at(-1) as TaskLine)).state;
  };

  /** What Slurm, or the program that should have run a job, said last. */
  const lastWords = (job: OpenJob): string => {
    const files = submissions
      .placesOf(job.name)
      .map(({ batch, index }) => `${batch.name.split('-').at(-1)}-${index}.log`);
    const said = files.map((file) => readFrom(join(shared, 'said', file), 0).toString('utf8')).join('\n');
    return said.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  };

  return {
    look() {
      let hurry = false;
      for (const name of names(join(shared, 'ended'))) {
        const job = jobs.get(name);
        if (!job || job.phase === 'queued' || jobs.take(job, undefined)) continue;
        // Asked for once; after that it is a matter of patience.
        hurry ||= !job.hurried;
        job.hurried = true;
      }
      return hurry;
    },
    update,
  };
}

function taskName({ id, index }: TaskLine): string {
  return `${id}_${index}`;
}
