import type { Part, Strategy } from '../config.ts';
import type { RunIdentity } from '../event.ts';
import type { State } from '../state.ts';

/** What a strategy goes by: of a run's identity, or of what a run is told. */
export type Told = Pick<RunIdentity, 'population' | 'search'>;

type Known = { identity: Told; state: State };

/**
 * How a run searches.
 *
 * - `population`: the best live on, are measured again beside the baseline, and parents are drawn among them.
 * - `chain`: keep or revert, as MiniMax M2.7 describes it. One incumbent and one child a generation meet all search
 *   tasks on the same repeat; the better one is the next incumbent. It meets all founders once, as the population does,
 *   and goes on from the best: were it to begin at the baseline, a better founder would be the others' head start.
 * - `random`: parents are drawn evenly from all that were bred so far, and nobody is measured twice.
 */
export function strategyOf({ search }: Pick<Told, 'search'>): Strategy {
  return search.strategy ?? 'population';
}

/** Whether a part of the search is in use: `--without` leaves it out. */
export function uses({ search }: Pick<Told, 'search'>, part: Part): boolean {
  return !search.without?.includes(part);
}

/** Whether new candidates meet a few tasks first, and only those that are not behind meet the rest. */
export function races(identity: Pick<Told, 'search'>): boolean {
  return strategyOf(identity) === 'population' && uses(identity, 'racing');
}

/**
 * How many stand as survivors after a generation: of a population at most half, at least one; of a chain the incumbent.
 * In a random search nothing comes of it: they are the best so far.
 */
export function places(identity: Told): number {
  if (strategyOf(identity) === 'chain') return 1;
  return Math.max(1, Math.min(identity.search.elites, Math.floor(identity.population / 2)));
}

/** Whom a generation's candidates are compared with: the baseline; in a chain the incumbent, once there is one. */
export function referenceOf({ identity, state }: Known): string {
  const incumbent = strategyOf(identity) === 'chain' ? state.survivors[0] : undefined;
  return incumbent ?? state.baseline;
}

/** Those of earlier generations that are measured again beside so many children; a chain without a child waits. */
export function measuredAgain({ identity, state }: Known, children: number): string[] {
  const strategy = strategyOf(identity);
  if (strategy === 'chain') return children === 0 ? [] : state.survivors;
  return strategy === 'random' ? [state.baseline] : [state.baseline, ...state.survivors];
}

/** The repeats at which what is known of a parent is looked up, latest first: of the last `most` generations. */
export function measuredAt(
  { identity, state }: Known,
  parent: string,
  generation: number,
  most: number,
): number[] {
  if (strategyOf(identity) === 'random') return [state.candidates.get(parent)!.generation];
  return Array.from({ length: Math.min(most, generation) }, (_, i) => generation - 1 - i);
}

/** The slots that a generation fills with children; the first one beside so many founders. */
export function childSlots({ identity, state }: Known, generation: number, founders: number): number[] {
  const strategy = strategyOf(identity);
  if (strategy === 'chain') return generation === 0 ? [] : [1];
  if (generation === 0) return range(founders, identity.population);
  return range(strategy === 'random' ? 0 : state.survivors.length, identity.population);
}

/** Who can be a parent in a generation. */
export function contestants({ identity, state }: Known, generation: number): string[] {
  if (strategyOf(identity) !== 'random') return state.survivors;
  return [...state.candidates.values()]
    .filter((candidate) => candidate.generation < generation)
    .map(({ id }) => id);
}

/** How many meet in a tournament; one is an even draw. */
export function tournamentSize(identity: Pick<Told, 'search'>): number {
  return strategyOf(identity) === 'random' || !uses(identity, 'tournament') ? 1 : identity.search.tournament;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}
