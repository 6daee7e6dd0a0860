import { messageOf } from '../../errors.ts';
import { type Asked, notRun, type Ran } from '../backend.ts';
import { cancelled, lost } from '../result.ts';
import { isOrdered, makeShared, renewOrder, tidy } from './job-folder.ts';
import { writeStarter } from './node-command.ts';
import { type OpenJob, openJobs } from './open-jobs.ts';
import { patience } from './patience.ts';
import { slurmPrograms } from './programs.ts';
import { askHistory, askQueue } from './queue.ts';
import { namesOf } from './request.ts';
import { realClock, type SlurmOptions } from './settings.ts';
import { isAlive } from './states.ts';
import { openSubmissions } from './submissions.ts';
import { submitter } from './submit.ts';
import { ASKS, watchJobs } from './watch.ts';

/** A run's dealings with Slurm, from its first job on. */
export type Session = {
  run(asked: Asked): Promise<Ran>;
  usage(): { busy: number; slots: number };
  /** Null: jobs are left to a resume. False: so they may be, because Slurm does not say that none is. */
  close(): Promise<boolean | null>;
};

/** How often the shared folder is looked into; Slurm itself is asked more seldom. ms. */
const LOOK_MS = 1000;
/** How long to try to make sure that what is cancelled is gone. */
const CANCEL_MS = 60_000;
/** The same while Slurm is away: somebody waits for the end, but a moment's absence must not leave jobs behind. */
const CANCEL_AWAY_MS = 20_000;

const AWAY = 'ask who runs the cluster';

/** `halt` ends all hope for further jobs. Rejects when the shared folder cannot be used. */
export async function openSession(
  options: SlurmOptions,
  halted: AbortSignal,
  halt: (reason: string, hint: string) => void,
): Promise<Session> {
  const { folder, settings, hidden, needsSandbox = false, clock = realClock, say = () => {} } = options;
  await makeShared(folder);
  const script = await writeStarter(folder);
  const submissions = openSubmissions(folder);
  const slurm = slurmPrograms(options);
  const prefix = namesOf(options.run);
  const controller = patience(settings.pollMs, settings.maxPauseMs, say);
  /** Tasks to be cancelled. */
  const doomed = new Set<string>();
  const leaves = () => halted.aborted && options.resumable === true;
  const callOff = (job: OpenJob) => {
    if (leaves()) return jobs.finish(job, cancelled(), 'kept');
    for (const { batch, index } of submissions.placesOf(job.name)) {
      for (const id of batch.ids) doomed.add(`${id}_${index}`);
    }
    wake.abort();
  };
  const jobs = openJobs(folder, clock, callOff);
  const parts = { slurm, submissions, jobs, clock, say };
  const found = () => submit.answered();
  const watch = watchJobs({ ...parts, shared: folder, found, history: askHistory(slurm) });
  let wake = new AbortController();
  let driving: Promise<void> | null = null;
  let nextPoll = 0;

  /** Everything, one thing after the other, while there are jobs. */
  const drive = async (): Promise<void> => {
    // Whatever it did not say when it was last asked was long ago.
    controller.rest();
    while (jobs.all().length > 0) {
      const before = isSlurms();
      if (jobs.all().every(({ phase }) => phase === 'submitted')) submit.rest();
      if (!controller.away()) await submit.step();
      // What has just been submitted is not asked after at once.
      if (!before && isSlurms()) nextPoll = clock.now() + settings.pollMs;
      if (watch.look()) nextPoll = Math.min(nextPoll, clock.now());
      await cancel();
      if (jobs.all().length === 0) break;
      // While it is away, also where it has none of ours any more: else nobody would hear that it is back.
      if ((isSlurms() || controller.away()) && clock.now() >= nextPoll) await poll();
      giveUpCancelled();
      if (jobs.all().length === 0) break;
      if (!wake.signal.aborted) await clock.sleep(pauseMs(), wake.signal);
      wake = new AbortController();
    }
    submit.rest();
    driving = null;
  };

  /** Does Slurm have a job, or may it? */
  const isSlurms = () => jobs.all().some(({ phase }) => phase !== 'queued');

  const pauseMs = (): number => {
    const step = Math.min(LOOK_MS, settings.pollMs);
    return controller.away() ? step : Math.min(step, Math.max(10, submit.due() - clock.now()));
  };

  const stop = (reason: string, hint: string): void => {
    halt(reason, hint);
    // Those that Slurm has go on until the run is closed; while it is away, whoever resumes the run finds them.
    for (const job of jobs.all()) {
      if (job.phase !== 'submitted' || controller.away()) jobs.finish(job, lost(reason), 'kept');
    }
  };

  const poll = async (): Promise<void> => {
    const lines = await askQueue(slurm, prefix);
    const unwanted = 'said' in lines ? lines : await watch.update(lines).catch(unanswered);
    const now = clock.now();
    if ('said' in unwanted) {
      const waitMs = controller.failed(now, unwanted.said);
      nextPoll = now + (waitMs ?? settings.pollMs);
      if (waitMs === null && !halted.aborted) stop(`Slurm does not answer: ${unwanted.said}`, AWAY);
      return;
    }
    controller.answered(now);
    nextPoll = now + settings.pollMs;
    for (const task of unwanted) doomed.add(task);
  };

  /** What does not succeed is named again by the next answer of Slurm, while it lives. */
  const cancel = async (): Promise<void> => {
    const tasks = [...doomed];
    doomed.clear();
    for (let i = 0; i < tasks.length; i += 200) await slurm('scancel', tasks.slice(i, i + 200));
    if (tasks.length > 0) nextPoll = Math.min(nextPoll, clock.now() + Math.min(LOOK_MS, settings.pollMs));
  };

  const submit = submitter(options, { ...parts, script, stop });

  const giveUpCancelled = (): void => {
    for (const job of jobs.all()) {
      if (job.calledOffAt === null || clock.now() < job.calledOffAt + CANCEL_MS) continue;
      jobs.finish(job, cancelled());
    }
  };

  /** Cancels all that is left of this run, also what an earlier process had submitted. */
  const clear = async (): Promise<boolean> => {
    const began = clock.now();
    let until = began + (controller.away() ? CANCEL_AWAY_MS : CANCEL_MS);
    // An array of which nobody knows whether it was submitted may come a little late.
    let calm = submissions.all().some(({ ids }) => ids.length === 0) ? ASKS : 1;
    while (clock.now() < until) {
      const lines = await askQueue(slurm, prefix);
      if ('said' in lines && lines.said.includes('cannot be run')) return false;
      if (!('said' in lines)) {
        until = began + CANCEL_MS;
        const alive = lines.filter(({ state }) => isAlive(state));
        for (const { id, index } of alive) doomed.add(`${id}_${index}`);
        await cancel();
        if (alive.length === 0 && --calm <= 0) return true;
      }
      await clock.sleep(Math.min(LOOK_MS, settings.pollMs), new AbortController().signal);
    }
    return false;
  };

  return {
    async run(asked) {
      if (asked.signal.aborted) return notRun(cancelled());
      if (halted.aborted) return notRun(lost(messageOf(halted.reason)));
      const { identity } = asked;
      let attempt = submissions.attempts(identity);
      const nameOf = () => `${identity}.${attempt}`;
      const known = !jobs.isFinished(nameOf()) && isOrdered(folder, nameOf());
      // A number is not used again, also where the job was called off before it was submitted.
      if (!known)
        do attempt++;
        while (jobs.isFinished(nameOf()));
      if (known) renewOrder(folder, nameOf(), { hidden, needsSandbox });
      const ended = jobs.add(asked, nameOf(), known ? 'asking' : 'queued');
      wake.abort();
      driving ??= drive();
      return ended;
    },
    usage: jobs.usage,
    async close() {
      for (const job of jobs.all()) jobs.finish(job, cancelled(), leaves() ? 'kept' : undefined);
      await driving;
      try {
        if (leaves() && submissions.mayBeLeft()) return null;
        if (submissions.mayBeLeft() && !(await clear())) return false;
        submissions.cleared();
      } finally {
        submissions.close();
      }
      await tidy(folder);
      return true;
    },
  };
}

/** A full disk here is no word about the jobs, as little as no answer is. */
function unanswered(error: unknown): { said: string } {
  return { said: messageOf(error) };
}
