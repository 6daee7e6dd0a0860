import type { Outcome, TrialSpec } from './evaluation/trial.ts';
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
 * baseline on the same task and repeat of search tasks, in [−1, 1]. `n`, `sum` and `squares` are of the raw
 * differences; `shrunk` and `error` are mean and standard error after shrinkage; `repeats` counts full blocks.
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
  model: string;
  /** Hash over the founders' names and genomes. */
  foundersHash: string;
  /** The rest of what decides the search: tournament size, elites, racing … */
  search: SearchSettings;
};

export type SearchSettings = {
  tournament: number;
  /** How many of the best are kept and measured again each generation. */
  elites: number;
  /** How many search tasks a new candidate meets first. */
  firstTasks: number;
  /** Repeats of all search tasks that finalists get at the end, and how many finalists. */
  finalRepeats: number;
  finalists: number;
  sealedRepeats: number;
};

export type Stop = 'finished' | 'budget-trials' | 'budget-usd' | 'max-time' | 'interrupted' | 'infrastructure';

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
  near: { baseline: number; champion: number; gain: number; tasks: number } | null;
  far: { baseline: number; champion: number; gain: number; tasks: number } | null;
  verdict: 'better' | 'worse' | 'cannot tell apart' | 'no sealed tasks' | 'not measured';
};

/** A line of the journal. Times stand only in fields named `at` or ending in `Ms`. */
export type Event =
  | { type: 'started'; identity: RunIdentity; baseline: string; generations: number }
  /** A later call asked for another number of generations. */
  | { type: 'extended'; generations: number }
  | { type: 'bred'; candidate: Candidate }
  | ({ type: 'refused' } & Refusal)
  /** Intent: these trials will be run; written before any of them starts. */
  | { type: 'planned'; generation: number; stage: Stage; trials: string[] }
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
    }
  | { type: 'champion'; generation: number; candidate: string }
  | { type: 'ended'; result: Result };

export type Stage = 'first' | 'rest' | 'finals' | 'sealed' | 'validation';

/** How an operator has done: `gain` sums the children's improvements over their parents (never below 0 each). */
export type OperatorRecord = { bred: number; refused: number; survived: number; gain: number };

/** A proposal that did not become a candidate, and why. */
export type Refusal = { generation: number; slot: number; operator: Operator; parent: string; reason: string };

/** The fold over the journal. Only `apply` changes it. */
export type State = {
  identity: RunIdentity | null;
  baseline: string;
  generations: number;
  /** The last generation whose barrier is passed; −1 before the first. */
  generation: number;
  candidates: Map<string, Candidate>;
  estimates: Map<string, Estimate>;
  /** By trial id. */
  outcomes: Map<string, Outcome>;
  survivors: string[];
  dropped: Set<string>;
  refused: number;
  /** The refusals since the last barrier, as journalled; `generation` empties it. */
  refusals: Refusal[];
  lessons: Map<string, Lesson>;
  lessonRecords: Map<string, LessonRecord>;
  operators: Map<string, OperatorRecord>;
  champion: string | null;
  result: Result | null;
};
