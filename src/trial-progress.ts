import { openBars } from './bars.ts';
import type { JobLive } from './jobs/runner.ts';
import { jobsText, nowText, QUIET_MS, type UnderWay } from './progress.ts';
import { count, counted, money, span } from './report/format.ts';
import { redact } from './secrets.ts';
import { wrapped } from './wrap.ts';

export type TrialProgress = {
  /** To be called for every trial that is done. */
  tried(): void;
  /** To be called with all that the runner tells of jobs. */
  job(news: JobLive): void;
  /** A line for people, above the bar. */
  note(line: string): void;
  /** Takes the bar away. */
  close(): void;
};

export type TrialProgressOptions = {
  /** Where people look: stderr. */
  stream: NodeJS.WriteStream;
  quiet: boolean;
  /** How many trials there are. */
  trials: number;
  /** Jobs so far. */
  jobs(): { run: number; hits: number };
  /** Dollars so far. */
  usd(): number;
  /** Milliseconds on any steady clock. */
  now?: () => number;
};

/**
 * Shows how a measurement goes: a bar on a terminal, a line for each tenth of the trials elsewhere, and one where long
 * jobs leave it silent; nothing when `quiet`. Only looks, as `startProgress`.
 */
export function startTrialProgress(options: TrialProgressOptions): TrialProgress {
  const { stream, quiet, trials, jobs, usd, now = () => performance.now() } = options;
  if (quiet) return { tried() {}, job() {}, note() {}, close() {} };
  const startedAt = now();
  const { news, underWay } = followJobs(now);
  const shown = stream.isTTY
    ? bar(stream, trials, () => [nowText(underWay()), jobsText(jobs()), money(usd())])
    : lines(stream, trials, () => [nowText(underWay()), span(now() - startedAt)]);
  return { ...shown, job: news };
}

/** Whether another tenth of all is through with this one, the `done`th; of fewer than ten each one is. */
export function isTenth(done: number, all: number): boolean {
  return Math.floor((10 * done) / all) > Math.floor((10 * (done - 1)) / all);
}

type Shown = Omit<TrialProgress, 'job'>;

function lines(stream: NodeJS.WriteStream, trials: number, more: () => string[]): Shown {
  let done = 0;
  const say = (line: string) => {
    stream.write(`${wrapped(redact(line))}\n`);
    silence.refresh();
  };
  const tell = () =>
    say(`evolve: ${text([`${count(done)} of ${counted(trials, 'trial')} done`, ...more()], '; ')}`);
  const silence = setInterval(tell, QUIET_MS).unref();
  return {
    tried() {
      done++;
      if (isTenth(done, trials)) tell();
    },
    note: say,
    close: () => clearInterval(silence),
  };
}

function bar(stream: NodeJS.WriteStream, trials: number, more: () => string[]): Shown {
  const bars = openBars(stream);
  const show = bars.add('trials', trials, 0);
  let done = 0;
  const tell = () => show(trials, done, text(more(), '  '));
  const clock = setInterval(tell, 1000).unref();
  return {
    tried() {
      done++;
      tell();
    },
    note: bars.note,
    close() {
      clearInterval(clock);
      bars.close();
    },
  };
}

/** Counts the jobs under way. */
function followJobs(now: () => number): { news(news: JobLive): void; underWay(): UnderWay } {
  const jobs = new Map<string, { askedAt: number; runs: boolean }>();
  return {
    news({ identity, kind }) {
      if (kind === 'waiting') jobs.set(identity, { askedAt: now(), runs: false });
      if (kind === 'started') jobs.set(identity, { askedAt: now(), ...jobs.get(identity), runs: true });
      if (kind === 'ended') jobs.delete(identity);
    },
    underWay() {
      const all = [...jobs.values()];
      const running = all.filter(({ runs }) => runs).length;
      const oldestMs = Math.max(0, ...all.map(({ askedAt }) => now() - askedAt));
      return { running, waiting: all.length - running, oldestMs };
    },
  };
}

function text(parts: readonly string[], between: string): string {
  return parts.filter((part) => part !== '').join(between);
}
