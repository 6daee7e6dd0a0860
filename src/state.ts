import { UserError } from './errors.ts';
import type { Outcome, TrialSpec } from './evaluation/trial.ts';
import type {
  Candidate,
  Claim,
  Estimate,
  Event,
  Foresight,
  OperatorRecord,
  PredictionCheck,
  Refusal,
  Result,
  RunIdentity,
  Settled,
  Stop,
} from './event.ts';
import type { PruneRule } from './jobs/curve.ts';
import { canonicalJson } from './json.ts';
import type { Lesson, LessonRecord } from './memory/lesson.ts';

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
  /** By number: what was claimed, and what became of it; null while it is open. Never withdrawn. */
  claims: Map<number, { claim: Claim; settled: Settled | null }>;
  /** The champion, other than the baseline, whose score on sealed tasks is known; null before. They are opened once. */
  sealedFor: string | null;
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
    claims: new Map(),
    sealedFor: null,
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
 * - `tried` of a sealed task before a champion is named, or of another genome than it and the baseline, is refused.
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
      if (event.trial.role === 'sealed') openSealed(state, event.trial, event.outcome);
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
    case 'claimed':
      for (const claim of event.claims) {
        if (state.claims.has(claim.number)) throw contradiction(`claim ${claim.number} is named twice`);
        state.claims.set(claim.number, { claim, settled: null });
      }
      return state;
    case 'settled': {
      const claimed = state.claims.get(event.settled.claim);
      if (!claimed || claimed.settled)
        throw contradiction(`claim ${event.settled.claim} is settled, but not open`);
      claimed.settled = event.settled;
      return state;
    }
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

/** Nothing may know of a sealed task before the champion is named, and one champion only ever meets them. */
function openSealed(state: State, { id, genome }: TrialSpec, { kind }: Outcome): void {
  if (state.champion === null) throw contradiction(`sealed trial ${id} stands before a champion is named`);
  // The baseline's own score opens nothing: no choice can rest on it.
  if (genome === state.baseline) return;
  const only = state.sealedFor ?? state.champion;
  if (genome !== only) {
    throw contradiction(`sealed trial ${id} is of ${genome}, which is neither baseline nor champion`);
  }
  // What was lost has no score, so nothing is known yet.
  if (kind !== 'lost') state.sealedFor = only;
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

/** Trials that a run has paid for, as a budget in trials counts them: those with an outcome that is not lost. */
export function triedTrials({ spent }: Pick<State, 'spent'>): number {
  return spent.scored + spent.failed;
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
