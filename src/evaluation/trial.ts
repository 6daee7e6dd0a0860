import type { Curve } from '../jobs/curve.ts';
import type { Asker } from '../jobs/job.ts';
import { hashJson } from '../json.ts';
import { seedAt } from '../rng.ts';
import type { Medal, Role, Task } from '../suite/suite.ts';

/** One genome × one task × one seed. */
export type TrialSpec = {
  /** Names all that the trial depends on: genome, task, model, seed, curves. */
  id: string;
  genome: string;
  task: string;
  role: Role;
  repeat: number;
  seed: number;
  /** Hash of the curves by which its jobs may be stopped early; left out where none may be. */
  curves?: string;
};

export type Usage = {
  tokensIn: number;
  tokensOut: number;
  usd: number;
  turns: number;
  jobs: number;
  gpuMs: number;
};

/** What a trial gave. `failed` is the agent's doing and counts as score 0; `lost` is missing data. */
export type Outcome =
  | {
      kind: 'scored';
      score: number;
      raw: number;
      medal: Medal;
      aboveMedian: boolean;
      usage: Usage;
      jobs: string[];
      /**
       * Paths of genes that did something: rules that fired, skills that were read, `loop`, `memory`; sorted. Left out
       * where it is not known (old runs).
       */
      active?: string[];
      /** Of its first whole training, where the task compares jobs by a metric. */
      curve?: Curve;
    }
  | { kind: 'failed'; reason: string; usage: Usage; jobs: string[]; active?: string[] }
  | { kind: 'lost'; reason: string };

/**
 * The trial of a genome on a task. The seed is the same for every candidate, so that comparisons are paired.
 * `runSeed` is the run's `--seed`, `curves` the hash of the curves that its jobs are compared with.
 */
export function trialSpec(
  runSeed: number,
  model: string,
  genome: string,
  task: Task,
  repeat: number,
  curves?: string,
): TrialSpec {
  const seed = seedAt(runSeed, task.role, task.id, repeat);
  const compared = curves === undefined ? [] : [curves];
  return {
    id: hashJson([genome, task.id, task.publicHash, model, seed, ...compared], 16),
    genome,
    task: task.id,
    role: task.role,
    repeat,
    seed,
    ...(curves === undefined ? {} : { curves }),
  };
}

/** Names the jobs of one attempt at a trial, as it asks for one after the other. */
export function numberJobs({ id, genome, task }: TrialSpec): () => Asker {
  let job = 0;
  return () => ({ trial: id, genome, task, job: ++job });
}

/** The score that statistics see: in [0, 1], or null where data is missing. */
export function scoreOf(outcome: Outcome): number | null {
  if (outcome.kind === 'scored') return outcome.score;
  return outcome.kind === 'failed' ? 0 : null;
}

/** Runs trials; resolves with an outcome for every spec, in the order asked; calls `onOutcome` as each is known. */
export type Evaluator = {
  evaluate(
    specs: readonly TrialSpec[],
    onOutcome: (spec: TrialSpec, outcome: Outcome) => void,
    signal?: AbortSignal,
  ): Promise<Outcome[]>;
  close(): Promise<void>;
};
