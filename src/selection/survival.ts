import type { Candidate, Estimate } from '../event.ts';

/** No lineage may hold more than this share of the places (rounded up). */
const LINEAGE_SHARE = 0.6;

/**
 * Who lives on and is measured again: the `places` best by shrunk estimate, best first. No lineage takes
 * more than 60% of the places while another has somebody to send: a lucky start shall not end the others before
 * they were varied, and crossover needs parents that differ. Ties go to the older candidate, then the lower slot.
 */
export function survive(
  pool: readonly Candidate[],
  estimates: ReadonlyMap<string, Estimate>,
  places: number,
): string[] {
  const ranked = rank(pool, estimates);
  const cap = Math.ceil(LINEAGE_SHARE * places);
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
