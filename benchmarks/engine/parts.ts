/**
 * What is each part of the search worth? In the world of many rules of small and medium effect that `racing.ts` has, for
 * each seed: the population, the same without one part, the chain and the random search, all within so many requested
 * trials, finals included. Prints the true sealed gain of the champions (known here) and the paired 95% t interval over
 * seeds. This world's critic writes no lessons, so nothing is said of memory.
 *
 *   npm run bench:parts -- [--runs 40] [--trials 600] [--population 8] [--processes 2]
 */
import { parseArgs } from 'node:util';
import type { SearchSettings } from '../../src/config.ts';
import { tInterval } from '../../src/statistics/interval.ts';
import { deviation, mean, points, range } from './simulation/figures.ts';
import { inProcesses } from './simulation/in-processes.ts';
import { simulate, usualSearch } from './simulation/run.ts';
import { founders, manyGenes, trueGain } from './simulation/world.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '40' },
    trials: { type: 'string', default: '600' },
    population: { type: 'string', default: '8' },
    processes: { type: 'string', default: '2' },
  },
});
const [runs, trials, population] = [values.runs, values.trials, values.population].map(Number) as [
  number,
  number,
  number,
];

/** A bound that no search of some thousand trials reaches; a run's length comes from its trials. */
const MANY_GENERATIONS = 300;

const ARMS: Record<string, Partial<SearchSettings>> = {
  population: {},
  ...Object.fromEntries(
    (['crossover', 'llm-edits', 'typed-steps', 'tournament', 'racing'] as const).map((part) => [
      `without ${part}`,
      { without: [part] },
    ]),
  ),
  chain: { strategy: 'chain' },
  random: { strategy: 'random' },
};

/** The true sealed gain of each arm's champion, in the order of `ARMS`. */
async function oneSeed(seed: number): Promise<number[]> {
  const gains: number[] = [];
  for (const change of Object.values(ARMS)) {
    // As in the benchmark of arms: finals of a fifth, and no claims, which steer nothing.
    const search = {
      ...usualSearch,
      claims: 0,
      finalists: 3,
      finalRepeats: 4,
      searchTrials: trials,
      ...change,
    };
    const run = await simulate(manyGenes(seed), { population, generations: MANY_GENERATIONS, search });
    const champion = run.genome(run.result.champion!.id);
    gains.push(trueGain(manyGenes(seed), champion, founders[0]!.genome, run.tasksOf('sealed')));
  }
  return gains;
}

const seeds = await inProcesses(Number(values.processes), runs, (piece) => oneSeed(1 + piece));
console.log(
  `| ${trials} trials, population ${population}, ${runs} seeds | true gain | spread | worst seed | population − it (95%) |`,
);
console.log('|---|---|---|---|---|');
for (const [i, name] of Object.keys(ARMS).entries()) {
  const gains = seeds.map((row) => row[i]!);
  const less = seeds.map((row) => row[0]! - row[i]!);
  const paired = i === 0 ? '' : `${points(mean(less))} (${range(tInterval(less))})`;
  console.log(
    `| ${name} | ${points(mean(gains))} | ${(100 * deviation(gains)).toFixed(1)} | ${points(Math.min(...gains))} | ${paired} |`,
  );
}
