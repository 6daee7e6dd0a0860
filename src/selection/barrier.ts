import type { Entry, Pace } from '../evaluation/racing.ts';
import { race, type Standing } from '../evaluation/racing.ts';
import type { TrialSpec } from '../evaluation/trial.ts';
import type { Candidate, Estimate, Event, RunIdentity } from '../event.ts';
import { creditLessons } from '../memory/record.ts';
import { rngAt } from '../rng.ts';
import type { State } from '../state.ts';
import type { Task } from '../suite/suite.ts';
import { admittedAtMost } from './allowance.ts';
import { freezeRules } from './curves.ts';
import { priorMean, updateEstimate } from './estimate.ts';
import { block, pairs } from './measure.ts';
import { creditOperators, gainOver } from './operators.ts';
import { checkPredictions } from './predictions.ts';
import { measuredAgain, places, races, referenceOf } from './strategy.ts';
import { survive } from './survival.ts';

/** A generation on the way: its new candidates in slot order, and the search tasks. */
export type Round = { generation: number; bred: readonly Candidate[]; tasks: readonly Task[] };

type Known = { identity: RunIdentity; state: State };

/** The tasks that new candidates of a generation meet first, in the order of `tasks`; all where there is no race. */
export function firstTasks(identity: RunIdentity, { generation, tasks }: Round): readonly Task[] {
  if (!races(identity)) return tasks;
  const drawn = rngAt(identity.seed, 'first', generation).shuffle(tasks).slice(0, identity.search.firstTasks);
  return tasks.filter((task) => drawn.includes(task));
}

/** Who is measured again and founders on all tasks, other new candidates on their first tasks. */
export function firstTrials(known: Known, round: Round): TrialSpec[] {
  const { identity } = known;
  const { generation, tasks } = round;
  const full = new Set([...measuredAgain(known, round.bred.length), ...foundersOf(round)]);
  return [
    ...[...full].flatMap((id) => block(known, id, tasks, generation)),
    ...newcomersOf(round).flatMap(({ id }) => block(known, id, firstTasks(identity, round), generation)),
  ];
}

/** How the new candidates stand after their first tasks, in slot order; asked when `firstTrials` are in. None without a race. */
export function raceNewcomers(known: Known, round: Round): Standing[] {
  const { identity, state } = known;
  if (!races(identity)) return [];
  const tasks = firstTasks(identity, round);
  const differences = (id: string) =>
    pairs(known, id, tasks, round.generation).map((pair) => pair.difference);
  const entries = newcomersOf(round).map(
    (candidate): Entry => ({
      id: candidate.id,
      prior: priorOf(known, candidate),
      differences: differences(candidate.id),
    }),
  );
  const paces = [...state.survivors, ...foundersOf(round)].map(
    (id): Pace => ({
      believed: estimate(known, round, id, round.tasks).shrunk,
      differences: differences(id),
    }),
  );
  return race(entries, paces, admittedAtMost(entries.length));
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
  const children = bred.map(({ id }) => id);
  const measured = new Set([...measuredAgain(known, bred.length), ...children]);
  const estimates: Record<string, Estimate> = {};
  for (const id of measured) {
    estimates[id] = estimate(known, round, id, state.dropped.has(id) ? firstTasks(identity, round) : tasks);
  }
  const standing = new Set([...measured, ...state.survivors]);
  const older = [...bred.flatMap(({ parents }) => parents), ...standing];
  const believed = new Map([...believedOf(state, older), ...Object.entries(estimates)]);
  const pool = [...standing].filter((id) => !state.dropped.has(id) && (believed.get(id)?.n ?? 0) > 0);
  const survivors = survive(
    pool.map((id) => state.candidates.get(id)!),
    believed,
    places(identity),
  );
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

function foundersOf({ bred }: Round): string[] {
  return bred.filter((candidate) => candidate.operator === 'founder').map(({ id }) => id);
}

function newcomersOf({ bred }: Round): Candidate[] {
  return bred.filter((candidate) => candidate.operator !== 'founder');
}

/** What is believed of a candidate by its differences to the reference, and by what is believed of that. */
function estimate(known: Known, { generation, tasks }: Round, id: string, on: readonly Task[]): Estimate {
  const { state } = known;
  const reference = referenceOf(known);
  const before = state.estimates.get(id);
  // Beside itself a chain's incumbent shows nothing new.
  if (before && id === reference && id !== state.baseline) return before;
  return updateEstimate(
    before,
    pairs(known, id, on, generation, reference),
    priorOf(known, state.candidates.get(id)!),
    on.length === tasks.length,
    reference === state.baseline ? undefined : state.estimates.get(reference),
  );
}

/** A difference to the baseline is inherited; whether a child is better than its parent nobody knows before. */
function priorOf(known: Known, { parents }: Candidate): number {
  const { state } = known;
  if (referenceOf(known) !== state.baseline) return 0;
  return priorMean(parents.map((parent) => state.estimates.get(parent)));
}

function believedOf(state: State, ids: readonly string[]): [string, Estimate][] {
  return ids.flatMap((id): [string, Estimate][] => {
    const believed = state.estimates.get(id);
    return believed ? [[id, believed]] : [];
  });
}
