import type { SearchSettings } from './config.ts';
import type { Outcome, TrialSpec } from './evaluation/trial.ts';
import type { PruneRule } from './jobs/curve.ts';
import type { Lesson, LessonRecord } from './memory/lesson.ts';

export type Operator = 'founder' | 'varied-founder' | 'mutate-params' | 'mutate-text' | 'crossover';

/** One gene that differs, for people: values as short text, null where the gene is absent. */
export type GeneChange = { path: string; before: string | null; after: string | null };

/** A genome in a run. Its genome stands in `genomes/<id>/` of the run's folder. */
export type Candidate = {
  /** The genome's id. */
  id: string;
  /** First parent first; none for a founder. */
  parents: string[];
  operator: Operator;
  /** Name of the founder that it descends from along first parents. */
  lineage: string;
  generation: number;
  slot: number;
  /** What the operator hoped for; empty for founders. */
  hypothesis: string;
  /** Tasks that the mutator expects to improve. */
  predicted: string[];
  /** Against the first parent. */
  changes: GeneChange[];
  /** Ids of lessons that stood in the prompt it was bred from. */
  lessons: string[];
};

/**
 * What is believed of a candidate, as of the last barrier at which it was measured. Differences are candidate −
 * baseline on the same task and repeat of search tasks, in [−1, 1]; in a chain, candidate − incumbent of then. `n`,
 * `sum` and `squares` are of the raw differences; `shrunk` and `error` are mean and standard error after shrinkage, of
 * candidate − baseline in a chain too; `repeats` counts full blocks.
 */
export type Estimate = {
  n: number;
  sum: number;
  squares: number;
  /** Mean raw score over the same trials, for display. */
  score: number;
  repeats: number;
  shrunk: number;
  error: number;
};

/** What makes a run this run: `--out` on a folder with another identity is refused. */
export type RunIdentity = {
  seed: number;
  population: number;
  suite: string;
  suiteHash: string;
  /** Tasks of the suite that an audit found unfit, and why (`<id>: <why>`); only where there are such. */
  leftOut?: string[];
  model: string;
  /** Only where they are not the agent's. */
  mutator?: string;
  critic?: string;
  /** Hash over the founders' names and genomes. */
  foundersHash: string;
  /** Paths of genes that the endpoint cannot express: nothing in the run changes them. */
  frozen?: string[];
  /** A control arm that does not search. */
  control?: 'resample';
  /** The rest of what decides the search: tournament size, elites, racing … */
  search: SearchSettings;
};

export type Stop =
  | 'finished'
  | 'budget-trials'
  | 'budget-usd'
  | 'budget-tokens'
  | 'max-time'
  | 'interrupted'
  | 'infrastructure'
  /** The endpoint, or the cassette, refuses: nothing works until the user acts. */
  | 'refused';

/**
 * A claim that one genome is better than another, tested on validation tasks. Named before its data exist: its passes
 * are fresh repeats, from `from` on, that nothing else uses.
 */
export type Claim = {
  /** 1, 2, 3 …, in the order in which they were named, over the whole life of a run. */
  number: number;
  /** `champion`: the champion against the baseline; `step`: a child against its first parent. */
  kind: 'champion' | 'step';
  candidate: string;
  against: string;
  /** Credited when the e-process reaches 1 / alpha (e-LOND); set when the claim is named. */
  alpha: number;
  /** Its first repeat. */
  from: number;
  /** Most passes over all validation tasks that it may take. */
  passes: number;
};

/**
 * What became of a claim. `e` is the highest value of its e-process; `gain` the mean difference over its passes, in
 * [−1, 1], with an interval that holds at any time (level 95% for this claim alone). `active`: of the genes that differ,
 * those that did something in its trials; without one nothing is credited.
 */
export type Settled = {
  claim: number;
  passes: number;
  e: number;
  gain: number | null;
  interval: [number, number];
  active: string[];
  credited: boolean;
};

/**
 * Why the champion was tested in no claim. `passes`: how many passes over the validation tasks the share of the trials
 * left for it; `least`: with fewer nothing can be credited.
 */
export type Untested =
  | { why: 'is the baseline' }
  | { why: 'no claims' }
  | { why: 'no validation tasks' }
  | { why: 'claims used up'; claims: number }
  | { why: 'too few trials'; passes: number; least: number; share: number };

/** A settled claim as the result shows it; `interval` is adjusted for the choice of claims where it is credited (e-BY). */
export type ClaimResult = Claim &
  Omit<Settled, 'claim'> & {
    /** Mean scores of both sides over the claim's passes. */
    scores: { candidate: number | null; against: number | null };
  };

/**
 * What the verdict can find: the chance to find a gain of 5, 10 and 20 points when the gains of tasks deviate by `sd`, and
 * the least gain found in four of five cases, null where there is none.
 */
export type Power = { sd: number; at5: number; at10: number; at20: number; detectable: number | null };

/** Sealed tasks of one kind: means in [0, 1], the gain with its 95% interval over task means. */
export type SealedPart = {
  baseline: number;
  champion: number;
  gain: number;
  ci95: [number, number];
  tasks: number;
};

/** The result of a run, as printed by `--json` (DESIGN 9); scores are means in [0, 1], null where not measured. */
export type Result = {
  stop: Stop;
  generations: number;
  champion: {
    id: string;
    lineage: string;
    credited: boolean;
    search: number | null;
    validation: number | null;
    sealed: number | null;
  } | null;
  baseline: { id: string; search: number | null; validation: number | null; sealed: number | null };
  gain: { mean: number; ci95: [number, number]; p: number } | null;
  /** Sealed gains apart: families that the search saw, and families that it never saw. */
  near: SealedPart | null;
  far: SealedPart | null;
  /** By the deviation that the sealed tasks showed; null where there is no gain. */
  power: Power | null;
  /** What was tested on validation tasks, in the order in which it was named. */
  claims: ClaimResult[];
  /** Why the champion itself is not among them; left out where it is. */
  untested?: Untested;
  /** Steps from a parent to a child in the run; all but those among the claims are not tested. */
  steps: number;
  /** The sealed tasks were opened for this champion, before the run was extended; none is scored twice. */
  sealedFor?: string;
  verdict: 'better' | 'worse' | 'cannot tell apart' | 'no sealed tasks' | 'not measured';
};

/** A line of the journal. Times stand only in fields named `at` or ending in `Ms`. */
export type Event =
  | { type: 'started'; identity: RunIdentity; baseline: string; generations: number }
  /** A later call asked for another number of generations. */
  | { type: 'extended'; generations: number }
  | { type: 'bred'; candidate: Candidate }
  | ({ type: 'refused' } & Refusal)
  /** Intent: these trials will be run, and those that are known already will not; written before any of them starts. */
  | { type: 'planned'; generation: number; stage: Stage; trials: string[]; known?: string[] }
  | { type: 'tried'; generation: number; trial: TrialSpec; outcome: Outcome }
  /** Behind after its first tasks; not measured further. */
  | { type: 'dropped'; generation: number; candidate: string; behind: number; error: number }
  | { type: 'lesson'; generation: number; lesson: Lesson }
  /** The barrier: what is believed of everyone measured in this generation, and who lives on. */
  | {
      type: 'generation';
      generation: number;
      estimates: Record<string, Estimate>;
      survivors: string[];
      lessonRecords: Record<string, LessonRecord>;
      operators: Record<string, OperatorRecord>;
      /** By candidate, of those bred in this generation with an expectation; left out where there is none. */
      predictions?: Record<string, PredictionCheck>;
      /** By task: when jobs of the next generation are stopped early; left out where none is. */
      prune?: Record<string, PruneRule>;
    }
  | { type: 'champion'; generation: number; candidate: string }
  /** Claims are named, all that are open at the same time at once; their trials come after. */
  | { type: 'claimed'; claims: Claim[] }
  | { type: 'settled'; settled: Settled }
  /** The endpoint of a model is down, and calls wait; then it is back. */
  | { type: 'paused'; reason: string }
  | { type: 'unpaused'; pausedMs: number }
  /** The run stopped before its end, and can be resumed. */
  | { type: 'stopped'; stop: Stop }
  | { type: 'ended'; result: Result };

export type Stage = 'first' | 'rest' | 'finals' | 'sealed' | 'validation';

/** How an operator has done: `gain` sums the children's improvements over their parents (never below 0 each). */
export type OperatorRecord = { bred: number; refused: number; survived: number; gain: number };

/**
 * What became of a mutator's expectations of one child: ids of the tasks it had named, by whether the child did better
 * than its first parent there, or nothing can be said; and of the search tasks it had not named, how many could be
 * compared and how many improved all the same.
 */
export type PredictionCheck = {
  hit: string[];
  missed: string[];
  unknown: string[];
  others: { checked: number; improved: number };
};

/** Sums over all checks: an expectation is worth something if hits ÷ checked is above improved ÷ others. */
export type Foresight = { checked: number; hits: number; others: number; improved: number };

/** A proposal that did not become a candidate, and why. */
export type Refusal = {
  generation: number;
  slot: number;
  operator: Operator;
  parent: string;
  reason: string;
  /** A fault of the infrastructure, and no doing of the operator. */
  unanswered?: true;
};
