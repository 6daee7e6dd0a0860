import type { State } from '../state.ts';
import { strategyOf, type Told } from './strategy.ts';
import { rank } from './survival.ts';

type Known = { identity: Told; state: State };

/** Repeats from here on are for finals: no generation reaches them. */
export const FINALS = 1_000_000;

/**
 * Who meets the baseline in the finals, which is there anyway. Of a chain its latest incumbents, latest first; else the
 * best of all that were measured in full, by shrunk estimate.
 */
export function chooseFinalists(known: Known): string[] {
  return eligible(known).slice(0, known.identity.search.finalists);
}

/** How many finalists there are at most, once so `many` more candidates were measured; one of them may be kept by a chain. */
export function finalistsAtMost(known: Known, many: number): number {
  const more = strategyOf(known.identity) === 'chain' ? Math.min(1, many) : many;
  return Math.min(known.identity.search.finalists, eligible(known).length + more);
}

function eligible({ identity, state }: Known): string[] {
  const all = strategyOf(identity) === 'chain' ? incumbents(state) : measuredInFull(state);
  return all.filter((id) => id !== state.baseline);
}

function measuredInFull({ candidates, estimates }: State): string[] {
  const measured = [...candidates.values()].filter(({ id }) => (estimates.get(id)?.repeats ?? 0) > 0);
  return rank(measured, estimates).map(({ id }) => id);
}

/** The incumbent and those before it: a child is bred from the incumbent, and replaces it or nobody. */
function incumbents({ candidates, survivors }: State): string[] {
  const found: string[] = [];
  for (let id = survivors[0]; id !== undefined; id = candidates.get(id)?.parents[0]) found.push(id);
  return found;
}
