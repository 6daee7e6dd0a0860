import type { SearchSettings } from '../../../src/config.ts';
import type { Evaluator, Outcome, TrialSpec } from '../../../src/evaluation/trial.ts';
import type { Result, Stage } from '../../../src/event.ts';
import type { Genome } from '../../../src/genome/genome.ts';
import { genomeId } from '../../../src/genome/hash.ts';
import { apply, type State } from '../../../src/state.ts';
import type { Role } from '../../../src/suite/suite.ts';
import { runWorld, syntheticSuite } from '../../../test/fixtures/synthetic-world.ts';
import { drawScore } from './noise.ts';
import { founders, mutatorOf, type SimulatedWorld, trueMean } from './world.ts';

/** How large a simulated run is. */
export type Size = { population: number; generations: number; search: SearchSettings };

/** A finished run, and what is needed to hold it against the truth. */
export type SimulatedRun = {
  result: Result;
  state: State;
  /** Trials requested, by stage. */
  planned: Record<Stage, number>;
  genome(id: string): Genome;
  tasksOf(role: Role): string[];
};

/** The defaults of `evolve run` for everything but the size. */
export const usualSearch: SearchSettings = {
  tournament: 3,
  elites: 3,
  firstTasks: 3,
  finalRepeats: 12,
  finalists: 6,
  sealedRepeats: 5,
  claims: 5,
  claimShare: 0.25,
};

/** One whole run of the engine in this process, on the world; its seed is the world's. */
export async function simulate(world: SimulatedWorld, size: Size): Promise<SimulatedRun> {
  const suite = syntheticSuite(world.tasks);
  const genomes = new Map(founders.map(({ genome }) => [genomeId(genome), genome]));
  const planned: Record<Stage, number> = { first: 0, rest: 0, finals: 0, sealed: 0, validation: 0 };
  const mutator = { ask: mutatorOf(world), model: 'simulated', context: null };
  let live: State | null = null;
  const { result, state } = await runWorld(
    {
      suite,
      founders,
      worth: () => 0,
      noise: { shared: 0, own: 0 },
      mutator: mutator.ask,
      search: size.search,
      population: size.population,
    },
    {
      seed: world.seed,
      generations: size.generations,
      evaluator: (state) => {
        live = state;
        return evaluatorOf(world, genomes);
      },
      parts: {
        record(event) {
          if (event.type === 'planned') planned[event.stage] += event.trials.length;
          apply(live!, event);
        },
        genomes: {
          async save(id, genome) {
            genomes.set(id, genome);
          },
          load: (id) => genomes.get(id)!,
        },
        // Criticism costs as much as the rest together, and no lesson means anything here.
        readTrajectory: async () => null,
      },
    },
  );
  if (result.stop !== 'finished') throw new Error(`run ${world.seed} stopped: ${result.stop}`);
  return {
    result,
    state,
    planned,
    genome: (id) => genomes.get(id)!,
    tasksOf: (role) => suite.tasks.filter((task) => task.role === role).map(({ id }) => id),
  };
}

function evaluatorOf(world: SimulatedWorld, genomes: ReadonlyMap<string, Genome>): Evaluator {
  const means = new Map<string, number>();
  const outcomeOf = ({ genome: id, task, seed, id: trial }: TrialSpec): Outcome => {
    const genome = genomes.get(id)!;
    const key = `${id} ${task}`;
    const mean = means.get(key) ?? trueMean(world, genome, task);
    means.set(key, mean);
    const score = drawScore(world.noise, mean, genome.sampling.temperature, seed, trial);
    const usage = { tokensIn: 1, tokensOut: 1, usd: 0, turns: 1, jobs: 0, gpuMs: 0 };
    const active = ['loop', 'memory', ...Object.keys(genome.rules).map((rule) => `rules.${rule}`)];
    if (score === 0) return { kind: 'failed', reason: 'no submission', usage, jobs: [], active };
    return { kind: 'scored', score, raw: score, medal: 'none', aboveMedian: false, usage, jobs: [], active };
  };
  return {
    async evaluate(specs, onOutcome) {
      return specs.map((spec) => {
        const outcome = outcomeOf(spec);
        onOutcome(spec, outcome);
        return outcome;
      });
    },
    close: async () => {},
  };
}
