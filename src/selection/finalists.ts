import type { RunIdentity } from '../event.ts';
import type { State } from '../state.ts';
import { strategyOf } from './strategy.ts';
import { rank } from './survival.ts';

/**
 * Who meets the baseline in the finals, which is there anyway. Of a chain its latest incumbents, latest first; else the
 * best of all that were measured in full, by shrunk estimate.
 */
export function chooseFinalists(known: { identity: RunIdentity; state: State }): string[] {
  const { state, identity } = known;
  const all = strategyOf(identity) === 'chain' ? incumbents(state) : measuredInFull(state);
  return all.filter((id) => id !== state.baseline).slice(0, identity.search.finalists);
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
