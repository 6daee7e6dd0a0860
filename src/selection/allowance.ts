import { emptyState, type State } from '../state.ts';
import { FINALS, finalistsAtMost } from './finalists.ts';
import { childSlots, measuredAgain, races, type Told } from './strategy.ts';

type Known = { identity: Told; state: State };

/** What the search stands on, as counts: founders that take part, and search tasks. */
export type Ground = { founders: number; tasks: number };

/**
 * Whether a generation may begin where `searchTrials` bounds the search: in its most expensive course it leaves what
 * the finals may take then. Counted are the trials that generations before it asked for, whoever paid for them; so the
 * answer is the same on a state that was cut in the middle of the generation.
 */
export function affords(known: Known, generation: number, ground: Ground): boolean {
  const { searchTrials } = known.identity.search;
  if (searchTrials === undefined) return true;
  return asked(known.state, generation) + withFinals(known, generation, ground) <= searchTrials;
}

/** The smallest `searchTrials` that a run can be given: its first generation and the finals, both at their largest. */
export function leastAllowance(identity: Told, ground: Ground): number {
  return withFinals({ identity, state: emptyState() }, 0, ground);
}

/** Trials that a generation takes at most: everybody who is measured in full, and the children as a race may go. */
export function generationAtMost(known: Known, generation: number, { founders, tasks }: Ground): number {
  const { identity } = known;
  const children = childSlots(known, generation, founders).length;
  const full = generation === 0 ? founders : new Set(measuredAgain(known, children)).size;
  if (!races(identity)) return (full + children) * tasks;
  const first = Math.min(identity.search.firstTasks, tasks);
  return full * tasks + children * first + admittedAtMost(children) * (tasks - first);
}

/** Of so many newcomers, how many a race lets through at most. */
export function admittedAtMost(newcomers: number): number {
  return Math.ceil(newcomers / 3);
}

/** Trials of the finals: so many finalists, and the baseline. */
export function finalTrials(
  { finalRepeats }: { finalRepeats: number },
  finalists: number,
  tasks: number,
): number {
  return (finalists + 1) * finalRepeats * tasks;
}

function withFinals(known: Known, generation: number, ground: Ground): number {
  const { identity } = known;
  const children = childSlots(known, generation, ground.founders).length;
  const more = children + (generation === 0 ? ground.founders - 1 : 0);
  return (
    generationAtMost(known, generation, ground) +
    finalTrials(identity.search, finalistsAtMost(known, more), ground.tasks)
  );
}

/** Trials of the generations before this one, each counted once, and of finals of a run that was extended since. */
function asked({ trials }: State, generation: number): number {
  let count = 0;
  for (const { role, repeat } of trials.values())
    if (role === 'search' && (repeat < generation || repeat >= FINALS)) count++;
  return count;
}
