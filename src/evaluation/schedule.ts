import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import type { PruneRule } from '../jobs/curve.ts';
import type { Grader, Suite, Task } from '../suite/suite.ts';
import { gradeTrial } from './grade-trial.ts';
import type { TrialReport } from './run-trial.ts';
import type { Evaluator, Outcome, TrialSpec } from './trial.ts';

/** One trial, ready to run. `folder` is its own, below the evaluator's `trialsDir`; `prune` is made of `spec.curves`. */
export type TrialInput = { genome: Genome; task: Task; spec: TrialSpec; folder: string; prune?: PruneRule };

/**
 * Runs a trial once. Never rejects. When `signal` aborts it resolves soon, and all that the trial had asked for
 * is gone by then. `thread-died` says that the trial may not be to blame: others ran beside it.
 */
export type Attempt = (
  trial: TrialInput,
  signal: AbortSignal,
) => Promise<TrialReport | { kind: 'thread-died'; reason: string }>;

export type ScheduleOptions = {
  /** Trials in flight at once. */
  concurrency: number;
  /** Where each trial has its folder `<trial id>/`. */
  trialsDir: string;
  suite: Suite;
  /** The genome of that id. */
  genomes: (id: string) => Genome | Promise<Genome>;
  /** When jobs of a trial are stopped early; asked for trials that name curves. */
  prune?: (trial: TrialSpec) => PruneRule | undefined;
  grader: Grader;
};

/** How often a trial is run at most before it is reported lost. */
const ATTEMPTS = 3;

/**
 * An evaluator over any way to run one trial. Trials start in the order asked. What is lost is run again, twice
 * at most. When `signal` aborts, what is unfinished is dropped: it comes back as `lost: interrupted`, without
 * `onOutcome`, since nothing is known of it. A fault in this program, or of the disk, rejects, after all else in
 * flight has ended. `close` waits for what is in flight, then calls `end`.
 */
export function scheduleTrials(
  attempt: Attempt,
  options: ScheduleOptions,
  end: () => Promise<void> = async () => {},
): Evaluator {
  const tasks = new Map(options.suite.tasks.map((task) => [task.id, task]));
  const inTurn = limit(options.concurrency);
  const suspectsInTurn = limit(1);

  function pruning(spec: TrialSpec): { prune?: PruneRule } {
    if (spec.curves === undefined) return {};
    const prune = options.prune?.(spec);
    if (prune?.hash !== spec.curves)
      throw new Error(`the curves ${spec.curves} of trial ${spec.id} are not known`);
    return { prune };
  }

  /** The trial's outcome, or null when it was interrupted. */
  async function outcomeOf(trial: TrialInput, signal: AbortSignal): Promise<Outcome | null> {
    let outcome: Outcome = { kind: 'lost', reason: 'not run' };
    let suspect = false;
    for (let left = ATTEMPTS; left > 0; left--) {
      if (signal.aborted) return null;
      // Who was on a thread that died is run again one at a time, so that the guilty one takes no other along.
      const report = suspect
        ? await suspectsInTurn(() => attempt(trial, signal))
        : await attempt(trial, signal);
      if (signal.aborted && report.kind !== 'finished') return null;
      if (report.kind === 'crashed') throw rethrown(trial.spec, report.stack);
      if (report.kind === 'unwritable') {
        throw new UserError(
          report.reason,
          'make room on the disk, then give the same command again: it goes on from there',
          4,
        );
      }
      if (report.kind === 'finished') {
        outcome = await gradeTrial(trial.spec, report, trial.folder, options.grader);
        if (signal.aborted && outcome.kind === 'lost') return null;
      } else {
        outcome = { kind: 'lost', reason: report.reason };
      }
      if (outcome.kind !== 'lost') return outcome;
      if (report.kind === 'thread-died' && !suspect) {
        suspect = true;
        left++;
      }
    }
    return outcome;
  }

  async function evaluate(
    specs: readonly TrialSpec[],
    onOutcome: (spec: TrialSpec, outcome: Outcome) => void,
    signal?: AbortSignal,
  ): Promise<Outcome[]> {
    const stop = new AbortController();
    // Each trial in flight listens.
    setMaxListeners(0, stop.signal);
    const pass = () => stop.abort(signal?.reason);
    signal?.addEventListener('abort', pass, { once: true });
    if (signal?.aborted) pass();
    const faults: unknown[] = [];
    const one = async (spec: TrialSpec): Promise<Outcome> => {
      const interrupted: Outcome = { kind: 'lost', reason: 'interrupted' };
      if (stop.signal.aborted) return interrupted;
      try {
        const task = tasks.get(spec.task);
        if (!task) throw new Error(`trial ${spec.id} is on task ${spec.task}, which the suite does not have`);
        const genome = await options.genomes(spec.genome);
        const folder = join(options.trialsDir, spec.id);
        const outcome = await outcomeOf({ genome, task, spec, folder, ...pruning(spec) }, stop.signal);
        if (outcome === null) return interrupted;
        onOutcome(spec, outcome);
        return outcome;
      } catch (error) {
        faults.push(error);
        stop.abort(new Error('another trial failed'));
        return interrupted;
      }
    };
    const outcomes = await Promise.all(specs.map((spec) => inTurn(() => one(spec))));
    signal?.removeEventListener('abort', pass);
    if (faults.length > 0) throw faults[0];
    return outcomes;
  }

  const inFlight = new Set<Promise<unknown>>();
  let closed = false;
  return {
    async evaluate(...asked) {
      if (closed) throw new Error('the evaluator is closed');
      const running = evaluate(...asked);
      const settled: Promise<unknown> = running.catch(() => {}).finally(() => inFlight.delete(settled));
      inFlight.add(settled);
      return await running;
    },
    async close() {
      closed = true;
      await Promise.all(inFlight);
      await end();
    },
  };
}

/** At most `places` of the functions given run at a time, in the order given. */
function limit(places: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

function rethrown(spec: TrialSpec, stack: string): Error {
  const error = new Error(`trial ${spec.id} crashed`);
  error.stack = `trial ${spec.id} (genome ${spec.genome}, task ${spec.task}) crashed: ${stack}`;
  return error;
}
