import type { Trajectory } from '../agent/trajectory.ts';
import type { Outcome, TrialSpec } from '../evaluation/trial.ts';
import type { RunIdentity } from '../event.ts';
import { excerpt } from '../prompts/excerpt.ts';
import { block, score } from '../selection/measure.ts';
import { measuredAt, strategyOf } from '../selection/strategy.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';

/** How a harness did on one search task, over its latest trials; `baseline` is null where it did not meet them. */
export type TaskScore = { task: Task; own: number; baseline: number | null; trials: number };

/** A trial to be read, and how it ended, beside the baseline's score on the same seed: null in a chain. */
export type Shown = {
  task: string;
  score: number;
  baseline: number | null;
  outcome: Outcome;
  trajectory: Trajectory;
};

/** What a mutator may know of a parent: search tasks only. `scorecard` is in task order, trials with the worst first. */
export type Evidence = { scorecard: TaskScore[]; failures: Shown[]; successes: Shown[] };

/** How many generations back a mutator looks, and how many trials of each kind are at hand. */
const GENERATIONS = 3;
const FAILURES = 6;
const SUCCESSES = 2;
/** Of how many failures the situation tells. */
const SITUATION = 3;

/**
 * What is known of a genome at the barrier before `generation`. Trials of the last three generations that it was
 * measured in make the scorecard; of those, the ones furthest below the baseline and the best ones can be read. `situation` is short text of
 * the very worst, by which lessons are recalled; it is the same for all children of the genome.
 */
export async function gatherEvidence(
  parts: {
    identity: RunIdentity;
    state: State;
    readTrajectory(trial: string): Promise<Trajectory | null>;
  },
  genome: string,
  tasks: readonly Task[],
  generation: number,
): Promise<Evidence & { situation: string }> {
  const { state } = parts;
  const scoreOfTrial = (spec: TrialSpec) => score(state.outcomes.get(spec.id));
  // A chain does not pay for the baseline.
  const paired = strategyOf(parts.identity) !== 'chain';
  const trials = tasks.flatMap((task) =>
    measuredAt(parts, genome, generation, GENERATIONS).flatMap((repeat) => {
      const [spec] = block(parts, genome, [task], repeat);
      const [reference] = block(parts, state.baseline, [task], repeat);
      const own = scoreOfTrial(spec!);
      const baseline = paired ? scoreOfTrial(reference!) : null;
      return own === null || (paired && baseline === null) ? [] : [{ task, trial: spec!.id, own, baseline }];
    }),
  );
  const scorecard = tasks.flatMap((task) => {
    const on = trials.filter((trial) => trial.task === task);
    const mean = (of: (trial: (typeof on)[number]) => number) =>
      on.reduce((sum, trial) => sum + of(trial), 0) / on.length;
    if (on.length === 0) return [];
    const baseline = paired ? mean((trial) => trial.baseline ?? 0) : null;
    return [{ task, own: mean((trial) => trial.own), baseline, trials: on.length }];
  });
  // What could have been won there: against the baseline on the same seed, or else against a perfect score.
  const shortfall = (trial: (typeof trials)[number]) => Math.max(trial.baseline ?? 0, 0.5) - trial.own;
  const worst = [...trials].sort((a, b) => shortfall(b) - shortfall(a) || (a.trial < b.trial ? -1 : 1));
  const best = [...trials].sort((a, b) => b.own - a.own || (a.trial < b.trial ? -1 : 1));
  const read = (chosen: typeof trials) =>
    Promise.all(
      chosen.map(async ({ task, trial, own, baseline }): Promise<Shown | null> => {
        const trajectory = await parts.readTrajectory(trial);
        const outcome = state.outcomes.get(trial);
        return trajectory && outcome ? { task: task.id, score: own, baseline, outcome, trajectory } : null;
      }),
    );
  const failures = await read(worst.filter((trial) => shortfall(trial) > 0).slice(0, FAILURES));
  const successes = await read(best.filter((trial) => shortfall(trial) <= 0).slice(0, SUCCESSES));
  const excerpts = present(failures.slice(0, SITUATION)).map(({ trajectory }) => excerpt(trajectory));
  return {
    scorecard,
    failures: present(failures),
    successes: present(successes),
    situation: excerpts.join('\n'),
  };
}

function present(shown: readonly (Shown | null)[]): Shown[] {
  return shown.filter((trial) => trial !== null);
}
