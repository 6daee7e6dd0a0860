import type { SearchSettings } from './config.ts';
import { UserError } from './errors.ts';
import type { Outcome, TrialSpec } from './evaluation/trial.ts';
import type { PruneRule } from './jobs/curve.ts';
import { canonicalJson } from './json.ts';
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
  /** Only where they are not the agent's. */
  mutator?: string;
  critic?: string;
  /** Hash over the founders' names and genomes. */
  foundersHash: string;
  /** Paths of genes that the endpoint cannot express: nothing in the run changes them. */
  frozen?: string[];
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

/**
 * What the trials of a run took. `lost` counts those that are still missing; `usd` is exact to 1e-9 and does not
 * depend on the order in which outcomes came.
 */
export type Spent = {
  scored: number;
  failed: number;
  lost: number;
  tokensIn: number;
  tokensOut: number;
  usd: number;
  gpuMs: number;
};

/** The fold over the journal. Only `apply` changes it. */
export type State = {
  identity: RunIdentity | null;
  baseline: string;
  generations: number;
  /** The last generation whose barrier is passed; −1 before the first. */
  generation: number;
  candidates: Map<string, Candidate>;
  estimates: Map<string, Estimate>;
  /** By trial id: what was tried, and what it gave. Both maps have the same keys. */
  trials: Map<string, TrialSpec>;
  outcomes: Map<string, Outcome>;
  /** Sums over `outcomes`, kept as they come, so that nobody has to walk over all trials. */
  spent: Spent;
  survivors: string[];
  dropped: Set<string>;
  refused: number;
  /** The refusals since the last barrier, as journalled; `generation` empties it. */
  refusals: Refusal[];
  lessons: Map<string, Lesson>;
  lessonRecords: Map<string, LessonRecord>;
  operators: Map<string, OperatorRecord>;
  /** By candidate: what became of the mutator's expectations of it. */
  predictions: Map<string, PredictionCheck>;
  /** Sums over `predictions`. */
  foresight: Foresight;
  /** By generation and task: when jobs of its trials are stopped early. */
  prune: Map<number, Record<string, PruneRule>>;
  champion: string | null;
  result: Result | null;
  /** Why the last call on the run stopped before the end; null once it goes on. */
  stopped: Stop | null;
};

/** The state of a run of which nothing is journalled. */
export function emptyState(): State {
  return {
    identity: null,
    baseline: '',
    generations: 0,
    generation: -1,
    candidates: new Map(),
    estimates: new Map(),
    trials: new Map(),
    outcomes: new Map(),
    spent: { scored: 0, failed: 0, lost: 0, tokensIn: 0, tokensOut: 0, usd: 0, gpuMs: 0 },
    survivors: [],
    dropped: new Set(),
    refused: 0,
    refusals: [],
    lessons: new Map(),
    lessonRecords: new Map(),
    operators: new Map(),
    predictions: new Map(),
    foresight: { checked: 0, hits: 0, others: 0, improved: 0 },
    prune: new Map(),
    champion: null,
    result: null,
    stopped: null,
  };
}

/**
 * One step of the fold: changes `state` by `event` and gives it back. No I/O, no clock; the time it takes
 * depends on the event and not on what came before, so that live run and replay are the same fold.
 *
 * - `bred`: candidates are never forgotten, dropped or not.
 * - `tried`: a `lost` outcome gives way to a later one of the same trial. A known outcome stays: the same one
 *   again changes nothing, another one is an integrity failure (`UserError`, exit code 5), and `state` is as before.
 * - `generation`: replaces the estimates, lesson records and operator records that it names, leaves the others,
 *   sets survivors and when the next generation's jobs are stopped, adds the checks of predictions, and forgets the refusals before it.
 * - `extended`: the run is no longer ended; champion and result will be decided anew.
 *
 * An unknown type of event, or a second `started`, is refused likewise.
 */
export function apply(state: State, event: Event): State {
  switch (event.type) {
    case 'started':
      if (state.identity !== null) throw contradiction('the run is started twice');
      state.identity = event.identity;
      state.baseline = event.baseline;
      state.generations = event.generations;
      return state;
    case 'extended':
      state.generations = event.generations;
      state.champion = null;
      state.result = null;
      return state;
    case 'bred':
      setOnce(state.candidates, event.candidate.id, event.candidate, 'candidate');
      return state;
    case 'refused': {
      const { type: _, ...refusal } = event;
      state.refused++;
      state.refusals.push(refusal);
      return state;
    }
    case 'planned':
      state.stopped = null;
      return state;
    case 'paused':
    case 'unpaused':
      return state;
    case 'stopped':
      state.stopped = event.stop;
      return state;
    case 'tried':
      learn(state, event.trial, event.outcome);
      return state;
    case 'dropped':
      state.dropped.add(event.candidate);
      return state;
    case 'lesson':
      setOnce(state.lessons, event.lesson.id, event.lesson, 'lesson');
      return state;
    case 'generation':
      state.generation = event.generation;
      state.refusals = [];
      state.survivors = event.survivors;
      setAll(state.estimates, event.estimates);
      setAll(state.lessonRecords, event.lessonRecords);
      setAll(state.operators, event.operators);
      setAll(state.predictions, event.predictions ?? {});
      for (const check of Object.values(event.predictions ?? {})) foresee(state.foresight, check);
      if (event.prune) state.prune.set(event.generation + 1, event.prune);
      return state;
    case 'champion':
      state.champion = event.candidate;
      return state;
    case 'ended':
      state.result = event.result;
      return state;
    default:
      throw new UserError(
        `an event of the unknown type "${(event as { type: unknown }).type}"`,
        'Was this run made by a newer version of evolve? Use that one.',
        5,
      );
  }
}

function learn(state: State, trial: TrialSpec, outcome: Outcome): void {
  const before = state.outcomes.get(trial.id);
  if (before && before.kind !== 'lost') {
    if (sameButForTimes(before, outcome)) return;
    throw contradiction(
      `trial ${trial.id} (${trial.task}, repeat ${trial.repeat}) has two different outcomes`,
    );
  }
  if (before) state.spent.lost--;
  state.trials.set(trial.id, trial);
  state.outcomes.set(trial.id, outcome);
  spend(state.spent, outcome);
}

function spend(spent: Spent, outcome: Outcome): void {
  spent[outcome.kind]++;
  if (outcome.kind === 'lost') return;
  spent.tokensIn += outcome.usage.tokensIn;
  spent.tokensOut += outcome.usage.tokensOut;
  spent.gpuMs += outcome.usage.gpuMs;
  // A sum of whole nano-dollars: a sum of fractions would differ with the order in which workers finish.
  spent.usd = (Math.round(spent.usd * 1e9) + Math.round(outcome.usage.usd * 1e9)) / 1e9;
}

function foresee(foresight: Foresight, { hit, missed, others }: PredictionCheck): void {
  foresight.checked += hit.length + missed.length;
  foresight.hits += hit.length;
  foresight.others += others.checked;
  foresight.improved += others.improved;
}

/** Names are hashes of what they name, so the same name twice is the same thing twice, or damage. */
function setOnce<T>(map: Map<string, T>, id: string, value: T, what: string): void {
  const before = map.get(id);
  if (before !== undefined && !sameButForTimes(before, value)) {
    throw contradiction(`${what} ${id} stands there twice and differs`);
  }
  map.set(id, value);
}

/** Times are no part of what a run decides: a trial run again after a crash may have taken longer. */
function sameButForTimes(a: unknown, b: unknown): boolean {
  const untimed = (key: string, value: unknown) => (key === 'at' || key.endsWith('Ms') ? undefined : value);
  return (
    canonicalJson(JSON.parse(JSON.stringify(a, untimed))) ===
    canonicalJson(JSON.parse(JSON.stringify(b, untimed)))
  );
}

function setAll<T>(map: Map<string, T>, values: Record<string, T>): void {
  for (const [key, value] of Object.entries(values)) map.set(key, value);
}

function contradiction(message: string): UserError {
  return new UserError(message, 'The journal contradicts itself: do not trust this run; begin a new one.', 5);
}
