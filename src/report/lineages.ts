import type { Candidate, GeneChange } from '../event.ts';
import type { JobRecord } from '../jobs/runner.ts';
import type { State } from '../state.ts';
import { groupBy, type Medals, medalsOf, type Tried } from './trials.ts';
import { jobsByLineage, type Used, usedBy } from './used.ts';

export type LineageRow = {
  founder: string;
  size: number;
  generations: number;
  /** Ids of candidates of other lineages that were crossed in. */
  merges: number;
  alive: number;
  /** What its jobs took; null where nobody noted whose they were. */
  used: Used | null;
  best: { id: string; generation: number; gain: number; error: number; score: number; medals: Medals } | null;
  /** From the founder to the lineage's best. */
  changes: GeneChange[];
};

/**
 * The champion, where the lineage has it; else the one believed to be best of those that met all search tasks, else
 * of those that met some.
 */
function bestOf(members: readonly Candidate[], state: State): Candidate | null {
  const measured = members.filter(({ id }) => (state.estimates.get(id)?.n ?? 0) > 0);
  const full = measured.filter(({ id }) => state.estimates.get(id)!.repeats > 0);
  const pool = full.length > 0 ? full : measured;
  const champion = measured.find(({ id }) => id === state.champion);
  const better = (top: Candidate | null, next: Candidate) =>
    !top || gainOf(next.id, state)! > gainOf(top.id, state)! ? next : top;
  return champion ?? pool.reduce(better, null);
}

/** Every lineage, the one with the best candidate first. */
export function lineagesOf(
  state: State,
  trials: readonly Tried[],
  jobs: readonly JobRecord[],
  diff: (before: string, after: string) => GeneChange[],
): LineageRow[] {
  const byLineage = groupBy(state.candidates.values(), (candidate) => candidate.lineage);
  const used = jobsByLineage(jobs, (genome) => state.candidates.get(genome)?.lineage);
  const rows = [...byLineage].map(([founder, members]): LineageRow => {
    const best = bestOf(members, state);
    const estimate = best && state.estimates.get(best.id);
    const root = members.find((member) => member.operator === 'founder');
    return {
      founder,
      size: members.length,
      generations: Math.max(...members.map((member) => member.generation)) + 1,
      merges: members.filter((member) => mergedLineage(member, state) !== null).length,
      alive: members.filter((member) => state.survivors.includes(member.id)).length,
      used: used.has('unknown') ? null : usedBy(used.get(founder) ?? []),
      best:
        best && estimate
          ? {
              id: best.id,
              generation: best.generation,
              gain: estimate.shrunk,
              error: estimate.error,
              score: estimate.score,
              medals: medalsOf(
                trials.filter(({ spec }) => spec.genome === best.id && spec.role === 'search'),
              ),
            }
          : null,
      changes: best && root && best.id !== root.id ? diff(root.id, best.id) : [],
    };
  });
  const standing = ({ best }: LineageRow) =>
    best === null ? Number.NEGATIVE_INFINITY : best.id === state.champion ? Number.MAX_VALUE : best.gain;
  return rows.sort((a, b) => standing(b) - standing(a) || (a.founder < b.founder ? -1 : 1));
}

/** The candidate and its first parents, founder first. */
export function ancestryOf(candidate: Candidate, state: State): Candidate[] {
  const line = [candidate];
  for (let parent = candidate.parents[0]; parent !== undefined; ) {
    const next = state.candidates.get(parent);
    if (!next || line.includes(next)) break;
    line.unshift(next);
    parent = next.parents[0];
  }
  return line;
}

/** The believed difference to the baseline; null for the baseline's own zero and what was never measured. */
export function gainOf(id: string, state: State): number | null {
  const estimate = state.estimates.get(id);
  return estimate && estimate.n > 0 ? estimate.shrunk : null;
}

/** The lineage of the second parent of a crossover, where it is another one. */
export function mergedLineage(candidate: Candidate, state: State): string | null {
  const second = candidate.parents[1] === undefined ? undefined : state.candidates.get(candidate.parents[1]);
  return second && second.lineage !== candidate.lineage ? second.lineage : null;
}
