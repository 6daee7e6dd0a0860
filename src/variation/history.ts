import { gainOver } from '../selection/operators.ts';
import type { State } from '../state.ts';
import type { Attempted } from './brief.ts';

/** How many earlier edits of the lineage a mutator is shown. */
const SHOWN = 8;

/** The latest edits of the parent's lineage that were measured, oldest first, and how they fared. */
export function attemptedOn(state: State, parent: string, generation: number): Attempted[] {
  const lineage = state.candidates.get(parent)?.lineage;
  return [...state.candidates.values()]
    .filter(
      (candidate) =>
        candidate.lineage === lineage && candidate.parents.length > 0 && candidate.generation < generation,
    )
    .slice(-SHOWN)
    .map((candidate) => {
      const check = state.predictions.get(candidate.id);
      return {
        changes: candidate.changes.map(
          ({ path, before, after }) => `${path}: ${before ?? 'none'} → ${after ?? 'removed'}`,
        ),
        hypothesis: candidate.hypothesis,
        gain: state.dropped.has(candidate.id)
          ? null
          : gainOver(candidate.id, candidate.parents[0]!, state.estimates),
        ...(check ? { check } : {}),
      };
    });
}
