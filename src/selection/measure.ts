import type { Evaluator, Outcome, TrialSpec } from '../evaluation/trial.ts';
import { scoreOf, trialSpec } from '../evaluation/trial.ts';
import type { Event, RunIdentity, Stage, Stop } from '../event.ts';
import { type State, triedTrials } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import type { Pair } from './estimate.ts';

export type MeasureParts = {
  identity: RunIdentity;
  state: State;
  /** Appends to the journal and applies to `state`. */
  record(event: Event): void;
  evaluator: Evaluator;
  /** What the run's trials may come to in all, those of earlier calls included. */
  budget: { trials: number | null };
  /** Why to stop now, if so; asked between trials' batches. */
  shouldStop(): Stop | null;
  /** Aborted to cut off trials in flight; what they give then is not journalled. */
  signal?: AbortSignal;
};

/**
 * A stage in which more than this share of the trials was lost stops the run. The search bears missing data; what the
 * verdict rests on must be whole, and can be taken up again.
 */
const BEARABLE_LOSS: Record<Stage, number> = { first: 0.5, rest: 0.5, finals: 0, validation: 0, sealed: 0 };

/**
 * Runs those of `specs` that have no outcome yet, or a lost one. Each outcome is journalled the moment it is
 * known. Resolves with null when the stage is through (what the evaluator could not save is missing data then),
 * else with the reason to stop; the stage can be taken up again where it was left.
 */
export async function measure(
  parts: MeasureParts,
  generation: number,
  stage: Stage,
  specs: readonly TrialSpec[],
): Promise<Stop | null> {
  const { state, record, evaluator, budget, shouldStop, signal } = parts;
  const all = new Map(specs.map((spec) => [spec.id, spec]));
  const missing = () => [...all.values()].filter((spec) => score(state.outcomes.get(spec.id)) === null);
  const wanted = missing();
  const known = [...all.keys()].filter((id) => !wanted.some((spec) => spec.id === id));
  const plan = (trials: string[]) =>
    record({ type: 'planned', generation, stage, trials, ...(known.length > 0 ? { known } : {}) });
  if (wanted.length === 0) {
    if (known.length > 0) plan([]);
    return null;
  }
  const stop = shouldStop();
  if (stop) return stop;
  const left = budget.trials === null ? wanted.length : budget.trials - triedTrials(state);
  if (left <= 0) return 'budget-trials';
  const planned = wanted.slice(0, left);
  plan(planned.map((spec) => spec.id));
  await evaluator.evaluate(
    planned,
    (trial, outcome) => {
      if (!(signal?.aborted && outcome.kind === 'lost'))
        record({ type: 'tried', generation, trial, outcome });
    },
    signal,
  );
  if (planned.length < wanted.length) return shouldStop() ?? 'budget-trials';
  const lost = missing().length;
  if (signal?.aborted && lost > 0) return shouldStop() ?? 'interrupted';
  return lost > BEARABLE_LOSS[stage] * all.size ? 'infrastructure' : null;
}

/**
 * One block: the genome on these tasks at this repeat. A generation measures on the repeat of its number, under the rules
 * that were frozen before it; finals, validation and sealed trials have other repeats or roles, and no rule.
 */
export function block(
  { identity, state }: { identity: RunIdentity; state: State },
  genome: string,
  tasks: readonly Task[],
  repeat: number,
): TrialSpec[] {
  return tasks.map((task) => {
    const rule = task.role === 'search' ? state.prune.get(repeat)?.[task.id] : undefined;
    return trialSpec(identity.seed, identity.model, genome, task, repeat, rule?.hash);
  });
}

/**
 * Candidate and reference, the baseline unless it is said, on the same tasks at the same repeat, in task order; tasks
 * where either is missing are left out.
 */
export function pairs(
  known: { identity: RunIdentity; state: State },
  candidate: string,
  tasks: readonly Task[],
  repeat: number,
  reference = known.state.baseline,
): Pair[] {
  const { state } = known;
  const scores = (genome: string) =>
    block(known, genome, tasks, repeat).map((spec) => score(state.outcomes.get(spec.id)));
  const own = scores(candidate);
  return scores(reference).flatMap((other, i) => {
    const value = own[i] ?? null;
    return value === null || other === null ? [] : [{ difference: value - other, score: value }];
  });
}

/** The score of an outcome, null where there is none. */
export function score(outcome: Outcome | undefined): number | null {
  return outcome === undefined ? null : scoreOf(outcome);
}
