import type { Entry, Pace } from '../evaluation/racing.ts';
import { race, type Standing } from '../evaluation/racing.ts';
import type { TrialSpec } from '../evaluation/trial.ts';
import type { Candidate, Estimate, Event, RunIdentity } from '../event.ts';
import { creditLessons } from '../memory/record.ts';
import { rngAt } from '../rng.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { freezeRules } from './curves.ts';
import { priorMean, updateEstimate } from './estimate.ts';
import { block, pairs } from './measure.ts';
import { creditOperators, gainOver } from './operators.ts';
import { checkPredictions } from './predictions.ts';
import { survive } from './survival.ts';

/** A generation on the way: its new candidates in slot order, and the search tasks. */
export type Round = { generation: number; bred: readonly Candidate[]; tasks: readonly Task[] };

type Known = { identity: RunIdentity; state: State };

/** How many of a generation are kept and measured again: at most half the population, at least one. */
export function places({ population, search }: RunIdentity): number {
  return Math.max(1, Math.min(search.elites, Math.floor(population / 2)));
}

/** The tasks that new candidates of a generation meet first, in the order of `tasks`. */
export function firstTasks(identity: RunIdentity, { generation, tasks }: Round): Task[] {
  const drawn = rngAt(identity.seed, 'first', generation).shuffle(tasks).slice(0, identity.search.firstTasks);
  return tasks.filter((task) => drawn.includes(task));
}

/** Incumbents and baseline on all tasks, founders too; other new candidates on their first tasks. */
export function firstTrials(known: Known, round: Round): TrialSpec[] {
  const { identity, state } = known;
  const { generation, tasks } = round;
  const incumbents = new Set([state.baseline, ...incumbentsOf(known, round)]);
  return [
    ...[...incumbents].flatMap((id) => block(known, id, tasks, generation)),
    ...newcomersOf(round).flatMap(({ id }) => block(known, id, firstTasks(identity, round), generation)),
  ];
}

/** How the new candidates stand after their first tasks, in slot order; asked when `firstTrials` are in. */
export function raceNewcomers(known: Known, round: Round): Standing[] {
  const { identity, state } = known;
  const tasks = firstTasks(identity, round);
  const differences = (id: string) =>
    pairs(known, id, tasks, round.generation).map((pair) => pair.difference);
  const entries = newcomersOf(round).map(
    (candidate): Entry => ({
      id: candidate.id,
      prior: priorOf(state, candidate),
      differences: differences(candidate.id),
    }),
  );
  const paces = incumbentsOf(known, round).map(
    (id): Pace => ({
      believed: estimate(known, round, id, round.tasks).shrunk,
      differences: differences(id),
    }),
  );
  return race(entries, paces, Math.ceil(entries.length / 3));
}

/** The rest of the tasks for the new candidates that were not dropped. */
export function remainingTrials(known: Known, round: Round): TrialSpec[] {
  const first = firstTasks(known.identity, round);
  const rest = round.tasks.filter((task) => !first.includes(task));
  return newcomersOf(round)
    .filter(({ id }) => !known.state.dropped.has(id))
    .flatMap(({ id }) => block(known, id, rest, round.generation));
}

/** The barrier: everybody's estimate after this generation, who lives on, records, and when jobs are stopped next. */
export function concludeGeneration(known: Known, round: Round): Extract<Event, { type: 'generation' }> {
  const { identity, state } = known;
  const { generation, bred, tasks } = round;
  const measured = new Set([state.baseline, ...state.survivors, ...bred.map(({ id }) => id)]);
  const estimates: Record<string, Estimate> = {};
  for (const id of measured) {
    estimates[id] = estimate(known, round, id, state.dropped.has(id) ? firstTasks(identity, round) : tasks);
  }
  const believed = new Map([...parentsOf(state, bred), ...Object.entries(estimates)]);
  const pool = [...measured].filter((id) => !state.dropped.has(id) && estimates[id]!.n > 0);
  const standing = pool.map((id) => state.candidates.get(id)!);
  const survivors = survive(standing, believed, places(identity));
  const offspring = bred
    .filter((child) => child.lessons.length > 0)
    .map((child) => ({ lessons: child.lessons, gain: gainOver(child.id, child.parents[0]!, believed) }));
  const predictions = checkPredictions(known, round);
  const prune = freezeRules(known, measured, round);
  return {
    type: 'generation',
    generation,
    estimates,
    survivors,
    lessonRecords: creditLessons(state.lessonRecords, offspring),
    operators: creditOperators(state.operators, bred, state.refusals, survivors, believed),
    ...(Object.keys(predictions).length > 0 ? { predictions } : {}),
    ...(Object.keys(prune).length > 0 ? { prune } : {}),
  };
}

/** Who is measured on all tasks from the start. */
function incumbentsOf({ state }: Known, { bred }: Round): string[] {
  return [
    ...state.survivors,
    ...bred.filter((candidate) => candidate.operator === 'founder').map(({ id }) => id),
  ];
}

function newcomersOf({ bred }: Round): Candidate[] {
  return bred.filter((candidate) => candidate.operator !== 'founder');
}

function estimate(known: Known, { generation, tasks }: Round, id: string, on: readonly Task[]): Estimate {
  const { state } = known;
  const candidate = state.candidates.get(id)!;
  const full = on.length === tasks.length;
  return updateEstimate(
    state.estimates.get(id),
    pairs(known, id, on, generation),
    priorOf(state, candidate),
    full,
  );
}

function priorOf(state: State, candidate: Candidate): number {
  return priorMean(candidate.parents.map((parent) => state.estimates.get(parent)));
}

function parentsOf(state: State, bred: readonly Candidate[]): [string, Estimate][] {
  return bred.flatMap(({ parents }) =>
    parents.flatMap((id): [string, Estimate][] => {
      const believed = state.estimates.get(id);
      return believed ? [[id, believed]] : [];
    }),
  );
}
