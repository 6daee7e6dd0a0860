/**
 * What racing costs and saves. In a world of many rules of small and medium effect, for each seed: the search with
 * racing against the same search in which every new candidate meets all tasks, for equally many generations. Prints the
 * trials that both took, the true sealed gain of both champions (known here), and the 95% t interval of the loss over
 * seeds, which must lie above −2 points at half the trials or fewer.
 *
 *   npm run bench:racing -- [--runs 20] [--population 16] [--generations 50] [--first-tasks N] [--processes 2]
 */
import { parseArgs } from 'node:util';
import { rngAt } from '../../src/rng.ts';
import { tInterval } from '../../src/statistics/interval.ts';
import { mean, points, range } from './simulation/figures.ts';
import { inProcesses } from './simulation/in-processes.ts';
import { agentNoise } from './simulation/noise.ts';
import { simulate, usualSearch } from './simulation/run.ts';
import { founders, type SimulatedWorld, trueGain, usualTasks } from './simulation/world.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    population: { type: 'string', default: '16' },
    generations: { type: 'string', default: '50' },
    'first-tasks': { type: 'string', default: String(usualSearch.firstTasks) },
    processes: { type: 'string', default: '2' },
  },
});
const [runs, population, generations] = [values.runs, values.population, values.generations].map(Number) as [
  number,
  number,
  number,
];

/** Eight rules of 5 points up or down, thirty-two around 0 by 2 points, settings of up to 10: nobody is at the end soon. */
function manyGenes(seed: number): SimulatedWorld {
  const rng = rngAt('many genes', seed);
  const effects = Array.from({ length: 40 }, (_, i) =>
    i < 8 ? (i % 2 ? -0.05 : 0.05) : 0.02 * rng.normal(),
  );
  return { seed, tasks: usualTasks, effects, unlike: 0.5, settings: 0.1, noise: agentNoise };
}

type Side = { search: number; all: number; gain: number };

async function oneSide(seed: number, racing: boolean): Promise<Side> {
  const world = manyGenes(seed);
  const search = {
    ...usualSearch,
    elites: Math.min(6, Math.max(1, Math.floor((3 * population) / 8))),
    firstTasks: Number(values['first-tasks']),
    ...(racing ? {} : { without: ['racing' as const] }),
  };
  const run = await simulate(world, { population, generations, search });
  const champion = run.genome(run.result.champion!.id);
  return {
    search: run.planned.first + run.planned.rest,
    all: Object.values(run.planned).reduce((sum, trials) => sum + trials, 0),
    gain: trueGain(world, champion, founders[0]!.genome, run.tasksOf('sealed')),
  };
}

const sides = await inProcesses(Number(values.processes), 2 * runs, (piece) =>
  oneSide(1 + Math.floor(piece / 2), piece % 2 === 0),
);
const [raced, full] = [0, 1].map((odd) => sides.filter((_, i) => i % 2 === odd)) as [Side[], Side[]];
const worst = (list: readonly Side[]) => Math.min(...list.map(({ gain }) => gain));
console.log(
  `| ${runs} seeds, ${population} × ${generations} | trials of the search | of the whole run | true gain | worst seed |`,
);
console.log('|---|---|---|---|---|');
for (const [name, list] of [
  ['racing', raced],
  ['all on all tasks', full],
] as const) {
  const trials = (key: 'search' | 'all') => mean(list.map((side) => side[key])).toFixed(0);
  const gain = points(mean(list.map((side) => side.gain)));
  console.log(`| ${name} | ${trials('search')} | ${trials('all')} | ${gain} | ${points(worst(list))} |`);
}
const share = mean(raced.map((side, i) => side.search / full[i]!.search));
const losses = raced.map((side, i) => side.gain - full[i]!.gain);
const interval = tInterval(losses);
console.log(
  `racing takes ${(100 * share).toFixed(0)}% of the search's trials, and saves ${(100 - 100 * share).toFixed(0)}%`,
);
console.log(`racing − full, in points: ${points(mean(losses))}, 95% ${range(interval)}, paired over seeds`);
console.log(`holds: at most half the trials ${share <= 0.5}, loss above −2 points ${interval[0] > -0.02}`);
