import { openBars } from './bars.ts';
import type { Event, Stage } from './event.ts';
import { counted, gain, money, score, span } from './report/format.ts';
import { redact } from './secrets.ts';
import { wrapped } from './wrap.ts';

export type Progress = {
  /** To be called with every event as it is journalled. */
  event(event: Event): void;
  /** A line for people, above the bars. */
  note(line: string): void;
  /** Takes the bars away. */
  close(): void;
};

/** Jobs that run and wait now, and how long the oldest of them has been under way. */
export type UnderWay = { running: number; waiting: number; oldestMs: number };

export type ProgressOptions = {
  /** Where people look: stderr. */
  stream: NodeJS.WriteStream;
  quiet: boolean;
  /** Generations in all, and how many of them were passed before this call. */
  generations: number;
  passed: number;
  /** Trials after the last generation. */
  endTrials: number;
  /** Jobs so far, in this process. */
  jobs(): { run: number; hits: number };
  underWay(): UnderWay;
  /** Dollars so far, of all calls on the run. */
  usd(): number;
  /** Milliseconds on any steady clock. */
  now?: () => number;
};

/**
 * Shows how a run goes: bars on a terminal, a line a generation elsewhere, nothing when `quiet`. Only looks:
 * nothing of the run depends on it.
 */
export function startProgress(options: ProgressOptions): Progress {
  if (options.quiet) return { event() {}, note() {}, close() {} };
  const course = newCourse(options);
  return options.stream.isTTY ? bars(course, options) : lines(course, options.stream);
}

/** How far the run is, as the events tell it. */
type Course = ReturnType<typeof newCourse>;

function newCourse({
  generations,
  passed,
  endTrials,
  jobs,
  underWay,
  usd,
  now = () => performance.now(),
}: ProgressOptions) {
  const startedAt = now();
  const course = {
    generations,
    generation: passed,
    stage: 'first' as Stage,
    planned: 0,
    tried: 0,
    /** In generations that are passed, and since they are. */
    searched: 0,
    ended: 0,
    cost: () => money(usd()),
    best: '–',
    median: '–',
    /** Follows an event; says whether it closes a generation. */
    follow(event: Event): boolean {
      if (event.type === 'started' || event.type === 'extended') course.generations = event.generations;
      if (event.type === 'planned' && event.trials.length > 0) {
        // The first and the rest of a generation's trials are one piece of work to whoever watches.
        if (event.stage !== 'rest') [course.planned, course.tried] = [0, 0];
        course.stage = event.stage;
        // A search whose trials are used up ends before the generations that were asked for.
        if (STAGES[event.stage] !== 'search') course.generations = course.generation;
        course.planned += event.trials.length;
      }
      if (event.type === 'tried') {
        course.tried++;
        if (course.generation < course.generations) course.searched++;
        else course.ended++;
      }
      if (event.type !== 'generation') return false;
      course.generation = event.generation + 1;
      const estimates = Object.values(event.estimates).sort((a, b) => b.shrunk - a.shrunk);
      const [top, middle] = [estimates[0], estimates[Math.floor(estimates.length / 2)]];
      if (top) course.best = `${score(top.score)} (${gain(top.shrunk)})`;
      if (middle) course.median = score(middle.score);
      return true;
    },
    jobsText: () => jobsText(jobs()),
    nowText: () => nowText(underWay()),
    /** From the pace of the trials so far; each generation is taken to be as large as those before. */
    left(): string {
      const done = course.generation - passed;
      if (done <= 0 && course.generation < course.generations) return '–';
      const ahead =
        done > 0 ? (course.searched / done) * Math.max(0, course.generations - course.generation) : 0;
      const trials = ahead + Math.max(0, endTrials - course.ended);
      return span(((now() - startedAt) / Math.max(1, course.searched + course.ended)) * trials);
    },
    elapsed: () => span(now() - startedAt),
  };
  return course;
}

/** What jobs did so far. */
export function jobsText({ run, hits }: { run: number; hits: number }): string {
  const share = run + hits === 0 ? 0 : Math.round((100 * hits) / (run + hits));
  return `${counted(run, 'job')} run, ${share}% from the cache`;
}

/** Those under way; empty where jobs take no time that is worth a word. */
export function nowText({ running, waiting, oldestMs }: UnderWay): string {
  return oldestMs < 10_000 ? '' : `${counted(running, 'job')} running, ${waiting} waiting`;
}

const STAGES: Record<Stage, string> = {
  first: 'search',
  rest: 'search',
  finals: 'finals: the best are measured again',
  validation: 'validation tasks',
  sealed: 'sealed tasks: champion and baseline',
};

/** After so long without a line there is one, if jobs are under way. */
export const QUIET_MS = 5 * 60_000;

function lines(course: Course, stream: NodeJS.WriteStream): Progress {
  const say = (line: string) => {
    stream.write(`${wrapped(redact(line))}\n`);
    silence.refresh();
  };
  // Generations of long jobs take hours, in which somebody may want to know that it goes on.
  const silence = setInterval(() => {
    const now = course.nowText();
    const { generation, generations, planned, tried } = course;
    const where = `${Math.min(generation + 1, generations)}/${generations}: ${tried} of ${counted(planned, 'trial')}`;
    if (now !== '') say(`generation ${where}; ${now}; ${course.elapsed()}`);
  }, QUIET_MS).unref();
  return {
    event(event) {
      const closed = course.follow(event);
      if (closed) {
        const cost = `${course.cost()}, ${course.elapsed()}, about ${course.left()} left`;
        say(
          `generation ${course.generation}/${course.generations}: ${counted(course.tried, 'trial')}, ` +
            `best ${course.best}, median ${course.median}; ${cost}`,
        );
      }
      if (event.type === 'claimed') {
        const claims = event.claims.length === 1 ? 'a claim is' : `${event.claims.length} claims are`;
        say(`validation tasks: ${claims} tested; about ${course.left()} left`);
      }
      // Claims look at their evidence every few trials: a line for each would be noise.
      const ends = event.type === 'planned' && (event.stage === 'finals' || event.stage === 'sealed');
      if (ends && event.trials.length > 0) {
        say(`${STAGES[event.stage]}: ${counted(event.trials.length, 'trial')}; about ${course.left()} left`);
      }
    },
    note: say,
    close: () => clearInterval(silence),
  };
}

function bars(course: Course, { stream }: ProgressOptions): Progress {
  const shown = openBars(stream);
  const generations = shown.add('generation', course.generations, course.generation);
  const trials = shown.add('trials', 1, 0);
  const showTrials = () => {
    const text = [course.nowText(), course.jobsText(), course.cost()].filter((part) => part !== '');
    trials(Math.max(1, course.planned), course.tried, text.join('  '));
  };
  const clock = setInterval(showTrials, 1000).unref();
  return {
    event(event) {
      course.follow(event);
      const stage = STAGES[course.stage];
      const text =
        stage === 'search'
          ? `best ${course.best}  median ${course.median}  left ${course.left()}`
          : `${stage}  left ${course.left()}`;
      generations(course.generations, course.generation, text);
      showTrials();
    },
    note: shown.note,
    close() {
      clearInterval(clock);
      shown.close();
    },
  };
}
