import type { SearchSettings } from '../../../src/config.ts';
import type { Event, Result, RunIdentity } from '../../../src/event.ts';
import { evolve } from '../../../src/evolve.ts';
import type { Founders } from '../../../src/genome/founders.ts';
import type { Genome } from '../../../src/genome/genome.ts';
import { genomeId } from '../../../src/genome/hash.ts';
import type { Constitution } from '../../../src/guard/constitution.ts';
import { objections } from '../../../src/guard/review.ts';
import { hashJson } from '../../../src/json.ts';
import { offlineLlm } from '../../../src/offline/offline-llm.ts';
import { withGate } from '../../../src/selection/gate.ts';
import { apply, emptyState, type State } from '../../../src/state.ts';
import type { Suite } from '../../../src/suite/suite.ts';
import type { Memo } from './memo.ts';

/** What all runs of the benchmark have in common. */
export type World = {
  suite: Suite;
  founders: Founders;
  constitution: Constitution;
  memo: Memo;
  /** Every genome of any run, by id: trials of all runs go to the same threads. */
  genomes: Map<string, Genome>;
};

export type Asked = { seed: number; population: number; generations: number; search: SearchSettings };

/** One whole search, in process and in memory: nothing is journalled, since to run it again costs no trial. */
export async function runArm(
  world: World,
  asked: Asked,
): Promise<{ result: Result; state: State; events: Event[] }> {
  const { suite, founders, constitution, memo, genomes } = world;
  const { seed, population, generations, search } = asked;
  const identity: RunIdentity = {
    seed,
    population,
    suite: suite.name,
    suiteHash: suite.hash,
    model: 'offline',
    foundersHash: hashJson([founders.hash, constitution]),
    search,
  };
  const state = emptyState();
  const events: Event[] = [];
  for (const genome of founders.genomes.values()) genomes.set(genomeId(genome), genome);
  const advisor = { ask: offlineLlm(), model: 'offline', context: null };
  const result = await evolve({
    identity,
    state,
    suite,
    founders: [...founders.genomes].map(([name, genome]) => ({ name, genome })),
    baseline: founders.baseline,
    generations,
    genomes: {
      save: async (id, genome) => void genomes.set(id, genome),
      load: (id) => genomes.get(id)!,
    },
    evaluator: withGate(memo, { state, suite }, search.sealedRepeats),
    mutator: advisor,
    critic: advisor,
    review: (child, parent) => objections(constitution, parent, child),
    readTrajectory: memo.readTrajectory,
    record(event) {
      events.push(event);
      apply(state, event);
    },
    commit: async () => {},
    budget: { trials: null },
    shouldStop: () => null,
  });
  return { result, state, events };
}
