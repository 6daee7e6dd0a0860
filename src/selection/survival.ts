import type { Candidate, Estimate } from '../state.ts';

/** Until this generation no lineage may hold more than `LINEAGE_SHARE` of the places (rounded up). */
const PROTECTED_UNTIL = 10;
const LINEAGE_SHARE = 0.6;

/**
 * Who lives on and is measured again: the `places` best by shrunk estimate, best first. In the first ten
 * generations no lineage takes more than 60% of the places while another has somebody to send, so that a lucky
 * start does not end the others before they were varied. Ties go to the older candidate, then the lower slot.
 */
export function survive(
  pool: readonly Candidate[],
  estimates: ReadonlyMap<string, Estimate>,
  places: number,
  generation: number,
): string[] {
  const ranked = rank(pool, estimates);
  const cap = generation < PROTECTED_UNTIL ? Math.ceil(LINEAGE_SHARE * places) : places;
  const held = new Map<string, number>();
  const chosen = ranked.filter((candidate) => {
    const already = held.get(candidate.lineage) ?? 0;
    held.set(candidate.lineage, already + 1);
    return already < cap;
  });
  const others = ranked.filter((candidate) => !chosen.includes(candidate));
  const kept = new Set([...chosen, ...others].slice(0, places));
  return ranked.filter((candidate) => kept.has(candidate)).map((candidate) => candidate.id);
}

/** Best shrunk estimate first; who was never measured counts as 0. */
export function rank(pool: readonly Candidate[], estimates: ReadonlyMap<string, Estimate>): Candidate[] {
  const worth = (candidate: Candidate) => estimates.get(candidate.id)?.shrunk ?? 0;
  return [...pool].sort((a, b) => worth(b) - worth(a) || a.generation - b.generation || a.slot - b.slot);
}
