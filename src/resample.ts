import { ownFigure } from './agent/own-figure.ts';
import type { Candidate, Result } from './event.ts';
import type { EvolveParts } from './evolve.ts';
import { stopHere } from './finals.ts';
import { genomeId } from './genome/hash.ts';
import { measure } from './selection/measure.ts';
import { bestOfDraws, type Cell, resampleCells } from './selection/resample.ts';
import { meanOrNull, type TaskMeans } from './selection/task-means.ts';
import { judge } from './selection/verdict.ts';

/**
 * The arm that does not search: `searchTrials` of the run's settings are drawn of the baseline on sealed tasks, and in each
 * repeat the draw counts whose own figure is best. Taken up where it was cut. The result's champion is the baseline, its
 * sealed score that of what was chosen; the baseline's is that of the first draws.
 */
export async function resample(parts: EvolveParts): Promise<Result> {
  const { state, suite, record, commit } = parts;
  await begin(parts);
  if (state.result) return state.result;
  const sealed = suite.tasks.filter(({ role }) => role === 'sealed');
  const cells = resampleCells(parts, sealed, parts.identity.search.searchTrials ?? 0);
  const stop = await measure(
    parts,
    0,
    'sealed',
    cells.flatMap(({ draws }) => draws),
  );
  if (stop) return stopHere(parts, stop);
  const figures = await figuresOf(cells, parts.readTrajectory);
  const result = resultOf(
    parts,
    bestOfDraws(parts, cells, (id) => figures.get(id) ?? null),
  );
  record({ type: 'ended', result });
  await commit();
  return result;
}

/** The figures that the agent knew, by trial, of all draws. */
export async function figuresOf(
  cells: readonly Cell[],
  readTrajectory: EvolveParts['readTrajectory'],
): Promise<Map<string, number | null>> {
  const figures = new Map<string, number | null>();
  for (const { id } of cells.flatMap(({ draws }) => draws)) {
    const trajectory = await readTrajectory(id);
    figures.set(id, trajectory === null ? null : ownFigure(trajectory));
  }
  return figures;
}

function resultOf(parts: EvolveParts, rows: TaskMeans[]): Result {
  const { state, baseline } = parts;
  const mean = (who: 'champion' | 'baseline') => meanOrNull(rows.map((row) => row[who]));
  const unseen = { search: null, validation: null };
  return {
    stop: 'finished',
    generations: 0,
    champion: {
      id: state.baseline,
      lineage: baseline,
      credited: false,
      ...unseen,
      sealed: mean('champion'),
    },
    baseline: { id: state.baseline, ...unseen, sealed: mean('baseline') },
    ...judge(rows),
    claims: [],
    steps: 0,
  };
}

/** What of the run's beginning is not journalled yet: it may have been cut between any two events. */
async function begin({ state, identity, founders, baseline, genomes, record }: EvolveParts): Promise<void> {
  const { genome } = founders.find(({ name }) => name === baseline)!;
  const id = genomeId(genome);
  if (state.identity === null) {
    await genomes.save(id, genome);
    record({ type: 'started', identity, baseline: id, generations: 0 });
  }
  if (!state.candidates.has(id)) record({ type: 'bred', candidate: founderOf(id, baseline) });
  if (state.champion === null) record({ type: 'champion', generation: 0, candidate: id });
}

function founderOf(id: string, lineage: string): Candidate {
  return {
    id,
    parents: [],
    operator: 'founder',
    lineage,
    generation: 0,
    slot: 0,
    hypothesis: '',
    predicted: [],
    changes: [],
    lessons: [],
  };
}
