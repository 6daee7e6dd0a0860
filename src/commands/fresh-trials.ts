import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type Outcome, type TrialSpec, trialSpec } from '../evaluation/trial.ts';
import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import type { Pair } from '../report/attribution.ts';
import { count, counted, money } from '../report/format.ts';
import { activeChanges } from '../selection/activation.ts';
import { score } from '../selection/measure.ts';
import { type State, triedTrials } from '../state.ts';
import { takeLock } from '../store/lock.ts';
import { openOutcomes } from '../store/outcome-file.ts';
import type { Task } from '../suite/suite.ts';
import { type Context, EXIT } from './context.ts';
import type { FinishedRun } from './finished-run.ts';
import { type Measuring, openMeasuring } from './measuring.ts';

/** Repeats of a run's search, finals and claims all lie below; from here on they are for looks at its champion. */
export const FRESH = 1_000_000_000;

/** Repeats that a run never used: `first` … `first + count − 1`. */
export type Repeats = { first: number; count: number };

/** Trials of a finished run's tasks on fresh repeats, kept in its folder: what is known is not run again. */
export type FreshTrials = {
  /** How many of the trials of these genomes are not known yet. */
  missing(genomes: readonly Genome[], repeats: Repeats): number;
  /**
   * Runs those, `told` hearing of each that is done. Null when they are through, as far as they can be; else why they are
   * not, as an exit code.
   */
  run(genomes: readonly Genome[], repeats: Repeats, told?: () => void): Promise<number | null>;
  /**
   * What the two gave side by side, in task order, and whether a gene of `paths` did anything; pairs of which one is
   * lost are left out.
   */
  pairs(one: Genome, other: Genome, repeats: Repeats, paths: readonly string[]): Pair[];
  close(): Promise<void>;
};

/** What trials cost, by what those of the run itself did. */
export function costText(trials: number, state: State): string {
  const { spent } = state;
  const known = triedTrials(state);
  const each = known === 0 ? 0 : trials / known;
  const tokens = Math.round(each * (spent.tokensIn + spent.tokensOut));
  const paid = spent.usd > 0 ? `, ${money(each * spent.usd)}` : '';
  return `${counted(trials, 'trial')}, about ${counted(tokens, 'token')}${paid}, as the run's own took`;
}

/**
 * Takes the run's lock and opens `attribution.jsonl` in its folder; model and threads only when a trial is missing.
 * Throws a `UserError` while another process writes the run.
 */
export async function openFreshTrials(
  run: FinishedRun,
  context: Context,
  say: (line: string) => void,
): Promise<FreshTrials> {
  const { config, state, tasks, dir } = run;
  const interrupted = context.interruption();
  const lock = await takeLock(dir, { say, signal: interrupted });
  let file: ReturnType<typeof openOutcomes>;
  try {
    refuseUsed(state);
    file = openOutcomes(join(dir, 'attribution.jsonl'));
  } catch (error) {
    lock.release();
    throw error;
  }
  const genomes = new Map<string, Genome>();
  let measuring: Measuring | null = null;

  const spec = (genome: string, task: Task, repeat: number) =>
    trialSpec(config.seed, config.model, genome, task, repeat);
  const specsOf = (asked: readonly Genome[], { first, count }: Repeats): TrialSpec[] => {
    const ids = new Set(asked.map((genome) => genomeId(genome)));
    const repeats = Array.from({ length: count }, (_, i) => first + i);
    // Repeat by repeat, so that what is there after a cut compares all of them.
    return repeats.flatMap((repeat) => [...ids].flatMap((id) => tasks.map((task) => spec(id, task, repeat))));
  };
  const missingOf = (asked: readonly Genome[], repeats: Repeats) =>
    specsOf(asked, repeats).filter(({ id }) => !file.known.has(id));

  return {
    missing: (asked, repeats) => missingOf(asked, repeats).length,
    async run(asked, repeats, told) {
      const wanted = missingOf(asked, repeats);
      if (wanted.length === 0) return null;
      for (const genome of asked) genomes.set(genomeId(genome), genome);
      measuring ??= await openMeasuring(run, (id) => genomes.get(id)!, interrupted, say);
      const { evaluator, signal, halt } = measuring;
      let lost = 0;
      await evaluator.evaluate(
        wanted,
        (trial, outcome) => {
          if (outcome.kind === 'lost' && signal.aborted) return;
          if (outcome.kind === 'lost') lost++;
          file.keep(trial, outcome);
          told?.();
        },
        signal,
      );
      const stopped = halt();
      if (stopped) {
        say(`stopped: ${stopped.reason}; the same command goes on from here`);
        if (stopped.hint) say(stopped.hint);
        if (stopped.error) throw stopped.error;
        return stopped.stop.startsWith('budget-') ? EXIT.limit : EXIT.inconclusive;
      }
      if (interrupted.aborted) {
        say('interrupted; the trials done are kept, and the same command goes on from here');
        return EXIT.interrupted;
      }
      const all = specsOf(asked, repeats).length;
      if (2 * lost <= all) return null;
      say(
        `${count(lost)} of ${counted(all, 'trial was', 'trials were')} lost to faults of the infrastructure`,
      );
      return EXIT.inconclusive;
    },
    pairs(one, other, { first, count }, paths) {
      const [own, against] = [genomeId(one), genomeId(other)];
      return tasks.flatMap((task) =>
        Array.from({ length: count }, (_, i) => first + i).flatMap((repeat): Pair[] => {
          const [a, b] = [own, against].map((id) => file.known.get(spec(id, task, repeat).id));
          const [mine, yours] = [score(a), score(b)];
          if (mine === null || yours === null) return [];
          return [{ task: task.id, difference: mine - yours, active: activeIn(paths, a, b) }];
        }),
      );
    },
    async close() {
      try {
        await measuring?.close();
      } finally {
        file.close();
        lock.release();
      }
    },
  };
}

function activeIn(
  paths: readonly string[],
  own: Outcome | undefined,
  other: Outcome | undefined,
): boolean | null {
  const [mine, yours] = [activeOf(own), activeOf(other)];
  return mine && yours ? activeChanges(paths, mine, yours).length > 0 : null;
}

/** Null where nobody noted it. */
function activeOf(outcome: Outcome | undefined): Set<string> | null {
  return outcome && outcome.kind !== 'lost' && outcome.active ? new Set(outcome.active) : null;
}

/** No run gets that far; if one ever does, its repeats are not fresh. */
function refuseUsed({ trials }: State): void {
  for (const { repeat } of trials.values()) {
    if (repeat >= FRESH)
      throw new UserError(`the run has used repeat ${repeat}, which is kept for later`, '', 5);
  }
}
