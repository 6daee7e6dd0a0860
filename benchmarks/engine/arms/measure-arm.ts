import type { RunIdentity } from '../../../src/event.ts';
import { diffGenomes } from '../../../src/genome/diff.ts';
import {
  barriersOf,
  clockOf,
  drawsWithin,
  generationsWithin,
  type Pace,
  requestedTrials,
} from '../../../src/report/clock.ts';
import {
  baselineScores,
  bestOfDraws,
  luckOfTheBest,
  resampleCells,
} from '../../../src/selection/resample.ts';
import { taskMeans } from '../../../src/selection/task-means.ts';
import { judge } from '../../../src/selection/verdict.ts';
import { apply, type State } from '../../../src/state.ts';
import { generationsOf, POPULATION, searchOf } from './arm.ts';
import { runArm, type World } from './one-run.ts';
import type { ArmResult } from './results.ts';

/** A search at equal trials, or, with `length`, of so many generations. */
export async function measureSearch(
  world: World,
  arm: string,
  seed: number,
  trials: number,
  timed: { slots: number; length: number } | null = null,
): Promise<Omit<ArmResult, 'world'>> {
  const length = timed?.length ?? null;
  const asked = {
    seed,
    population: POPULATION,
    generations: generationsOf(length),
    search: searchOf(arm, length === null ? trials : null),
  };
  const { result, state, events } = await runArm(world, asked);
  const champion = result.champion!;
  const sealed = world.suite.tasks.filter(({ role }) => role === 'sealed');
  const rows = taskMeans(known(state), champion.id, sealed, asked.search.sealedRepeats);
  return {
    arm,
    seed,
    trials,
    slots: timed?.slots ?? null,
    generations: result.generations,
    requested: requestedTrials(events),
    champion: champion.id,
    lineage: champion.lineage,
    believed: difference(champion.search, result.baseline.search),
    gain: result.gain,
    near: result.near?.gain ?? null,
    far: result.far?.gain ?? null,
    verdict: result.verdict,
    tasks: rows.map(({ task, baseline, champion: own }) => ({ task: task.id, baseline, champion: own })),
    barriers: barriersOf(events),
    edits: editsOf(state, world.genomes),
  };
}

/**
 * Plain sampling with so many trials, `trials` unless told: best of N by what the agent itself knew. Luck is told from the
 * baseline's trials in the population's search at this seed.
 */
export async function measureResample(
  world: World,
  seed: number,
  trials: number,
  timed: { slots: number; draws: number } | null = null,
): Promise<Omit<ArmResult, 'world'>> {
  const population = await runArm(world, {
    seed,
    population: POPULATION,
    generations: generationsOf(null),
    search: searchOf('population', trials),
  });
  const { state } = population;
  const spent = timed?.draws ?? trials;
  const { suite, memo } = world;
  const sealed = suite.tasks.filter(({ role }) => role === 'sealed');
  const cells = resampleCells(known(state), sealed, spent);
  await memo.evaluate(
    cells.flatMap(({ draws }) => draws),
    (trial, outcome) => {
      if (!state.outcomes.has(trial.id)) apply(state, { type: 'tried', generation: 0, trial, outcome });
    },
  );
  const rows = bestOfDraws({ state }, cells, memo.figure);
  const { gain, near, far, verdict } = judge(rows);
  const blocks = Math.floor(spent / suite.tasks.filter(({ role }) => role === 'search').length);
  return {
    arm: 'resample',
    seed,
    trials,
    slots: timed?.slots ?? null,
    generations: 0,
    requested: cells.reduce((sum, { draws }) => sum + draws.length - 1, 0),
    champion: state.baseline,
    lineage: '',
    believed: null,
    gain,
    near: near?.gain ?? null,
    far: far?.gain ?? null,
    verdict,
    tasks: rows.map(({ task, baseline, champion }) => ({ task: task.id, baseline, champion })),
    barriers: [],
    luck: luckOfTheBest(baselineScores({ state }), blocks),
  };
}

/**
 * The arm stopped at the generation that its clock has reached when the population's search ends (finals are the same for
 * both). Where its equal trials are over before, it is run longer until they are not; trials are shared, so that only
 * what is new is run.
 */
export async function measureAtTime(
  world: World,
  arm: string,
  population: ArmResult,
  equal: ArmResult,
  slots: number,
  pace: Pace,
): Promise<Omit<ArmResult, 'world'>> {
  const { seed, trials } = population;
  const clock = clockOf(population.barriers, slots, pace);
  if (arm === 'resample') {
    const own = population.barriers.flatMap((barrier) => (barrier.kind === 'trials' ? barrier.trials : []));
    return await measureResample(world, seed, trials, {
      slots,
      draws: drawsWithin(own, slots, clock.end, pace),
    });
  }
  const limit = clock.generations.at(-1) ?? 0;
  let longest: Omit<ArmResult, 'world'> = equal;
  let ends = clockOf(longest.barriers, slots, pace);
  while ((ends.generations.at(-1) ?? Number.POSITIVE_INFINITY) <= limit) {
    const length = Math.max(longest.generations + 1, Math.ceil(1.25 * longest.generations));
    longest = await measureSearch(world, arm, seed, trials, { slots, length });
    ends = clockOf(longest.barriers, slots, pace);
  }
  const length = generationsWithin(ends, limit);
  return await measureSearch(world, arm, seed, trials, { slots, length });
}

function editsOf({ candidates }: State, genomes: World['genomes']): Record<string, number> {
  const edits: Record<string, number> = {};
  for (const { id, parents, operator } of candidates.values()) {
    if (operator !== 'mutate-text') continue;
    for (const { path } of diffGenomes(genomes.get(parents[0]!)!, genomes.get(id)!)) {
      const section = path.split('.', 1)[0]!;
      edits[section] = (edits[section] ?? 0) + 1;
    }
  }
  return edits;
}

function known(state: State): { identity: RunIdentity; state: State } {
  return { identity: state.identity!, state };
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}
