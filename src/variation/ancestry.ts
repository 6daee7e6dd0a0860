import type { Candidate } from '../event.ts';
import type { State } from '../state.ts';

/**
 * The nearest common ancestor of two candidates, along first and second parents: the one with the fewest steps to both
 * together; of equal ones the later in the run. One of the two itself where it is the other's ancestor; null where
 * they have none in common.
 */
export function commonAncestor(state: State, first: string, second: string): string | null {
  const [one, two] = [ancestorsOf(state, first), ancestorsOf(state, second)];
  const shared = [...one].flatMap(([id, steps]) => {
    const others = two.get(id);
    return others === undefined ? [] : [{ candidate: state.candidates.get(id)!, steps: steps + others }];
  });
  shared.sort((a, b) => a.steps - b.steps || later(a.candidate, b.candidate));
  return shared[0]?.candidate.id ?? null;
}

/** The candidates that changed a gene on the way from `ancestor` to `id`, oldest first; neither includes the ancestor. */
export function changersOf(state: State, id: string, ancestor: string, path: string): Candidate[] {
  const before = ancestorsOf(state, ancestor);
  return [...ancestorsOf(state, id).keys()]
    .filter((step) => !before.has(step))
    .map((step) => state.candidates.get(step)!)
    .filter(({ changes }) => changes.some((change) => change.path === path))
    .sort((a, b) => -later(a, b));
}

/** A candidate and all it descends from, with the fewest steps to each. */
function ancestorsOf({ candidates }: State, id: string): Map<string, number> {
  const found = new Map<string, number>();
  let level = candidates.has(id) ? [id] : [];
  for (let steps = 0; level.length > 0; steps++) {
    for (const one of level) found.set(one, steps);
    const parents = level.flatMap((one) => candidates.get(one)!.parents);
    level = [...new Set(parents)].filter((parent) => candidates.has(parent) && !found.has(parent));
  }
  return found;
}

function later(a: Candidate, b: Candidate): number {
  return b.generation - a.generation || b.slot - a.slot;
}
