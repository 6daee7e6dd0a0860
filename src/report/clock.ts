import type { Event, Stage } from '../event.ts';

/** What things take in the simulated world, in seconds: a model call of a trial's turn, a job, a call of mutator or critic. */
export type Pace = { turn: number; job: number; call: number };

/** An agent's turn at a hosted model, a short training, a long reply of a mutator. */
export const USUAL_PACE: Pace = { turn: 10, job: 60, call: 30 };

/**
 * What a search had to wait for, in order. At a barrier of trials all of them must have ended, `[turns, jobs]` each, in
 * the order in which they start; at one of calls the mutator or the critic must have answered, all their calls of a
 * generation at the same time.
 */
export type Barrier = { generation: number } & (
  | { kind: 'trials'; stage: Stage; trials: [turns: number, jobs: number][] }
  | { kind: 'calls' }
);

/** Seconds since the start: at the end of each generation, and after the finals. */
export type Clock = { generations: number[]; end: number };

/** How many trials a search asked for, finals included, known or not; claims and sealed trials come after it. */
export function requestedTrials(events: readonly Event[]): number {
  // After a cut what is left is planned once more.
  const asked = new Set<string>();
  for (const event of events) {
    if (event.type !== 'planned' || !OF_THE_SEARCH.includes(event.stage)) continue;
    for (const id of [...event.trials, ...(event.known ?? [])]) asked.add(id);
  }
  return asked.size;
}

const OF_THE_SEARCH: readonly Stage[] = ['first', 'rest', 'finals'];

/**
 * The barriers of a search from its journal: claims and sealed trials are left out, they come after it. A trial that is
 * known already, or was lost, costs nothing. Breeding waits for the mutator where a child is its edit, and learning for the
 * critic where it wrote a lesson.
 */
export function barriersOf(events: readonly Event[]): Barrier[] {
  const took = new Map<string, [number, number]>();
  for (const event of events) {
    if (event.type !== 'tried' || event.outcome.kind === 'lost') continue;
    took.set(event.trial.id, [event.outcome.usage.turns, event.outcome.usage.jobs]);
  }
  const barriers: Barrier[] = [];
  const called = new Set<string>();
  const call = (generation: number, who: string) => {
    if (called.has(`${who} ${generation}`)) return;
    called.add(`${who} ${generation}`);
    barriers.push({ kind: 'calls', generation });
  };
  const planned = new Set<string>();
  for (const event of events) {
    if (event.type === 'bred' && asksModel(event.candidate.operator))
      call(event.candidate.generation, 'mutator');
    if (event.type === 'refused' && asksModel(event.operator)) call(event.generation, 'mutator');
    if (event.type === 'lesson') call(event.generation, 'critic');
    if (event.type !== 'planned' || !OF_THE_SEARCH.includes(event.stage)) continue;
    const fresh = event.trials.filter((id) => took.has(id) && !planned.has(id));
    for (const id of fresh) planned.add(id);
    if (fresh.length === 0) continue;
    const { generation, stage } = event;
    barriers.push({ kind: 'trials', generation, stage, trials: fresh.map((id) => took.get(id)!) });
  }
  return barriers;
}

/** The time that a search would have taken on so many slots, where a slot holds one trial at a time. */
export function clockOf(barriers: readonly Barrier[], slots: number, pace: Pace = USUAL_PACE): Clock {
  const generations: number[] = [];
  let now = 0;
  for (const barrier of barriers) {
    now += barrier.kind === 'calls' ? pace.call : makespan(barrier.trials.map(durationAt(pace)), slots);
    if (barrier.kind === 'trials' && barrier.stage === 'finals') continue;
    generations[barrier.generation] = now;
  }
  // A generation in which nothing had to be waited for ends with the one before it.
  for (let i = 0; i < generations.length; i++) generations[i] ??= generations[i - 1] ?? 0;
  return { generations, end: now };
}

/** How many of an arm's generations have ended by then, at least one: it stops at the last that is in time. */
export function generationsWithin({ generations }: Clock, seconds: number): number {
  return Math.max(1, generations.filter((end) => end <= seconds + 1e-9).length);
}

/** How many equal draws of a trial end in that time, when none waits for another. */
export function drawsWithin(
  trials: readonly [number, number][],
  slots: number,
  seconds: number,
  pace: Pace = USUAL_PACE,
): number {
  const mean = trials.map(durationAt(pace)).reduce((sum, x) => sum + x, 0) / Math.max(1, trials.length);
  return mean === 0 ? 0 : slots * Math.floor(seconds / mean + 1e-9);
}

/** List scheduling (Graham 1966): each in turn goes to the slot that is free first. */
export function makespan(durations: readonly number[], slots: number): number {
  const free = new Array<number>(Math.max(1, slots)).fill(0);
  for (const duration of durations) {
    let first = 0;
    for (let i = 1; i < free.length; i++) if (free[i]! < free[first]!) first = i;
    free[first] = free[first]! + duration;
  }
  return Math.max(...free);
}

function durationAt(pace: Pace): (trial: readonly [number, number]) => number {
  return ([turns, jobs]) => turns * pace.turn + jobs * pace.job;
}

/** A founder's copy may be an edit of the model; which one, its event does not say. */
function asksModel(operator: string): boolean {
  return operator === 'mutate-text' || operator === 'varied-founder';
}
