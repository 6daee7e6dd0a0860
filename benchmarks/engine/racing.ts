/**
 * What racing costs and saves. In a world of many rules of small and medium effect, for each seed: the search with
 * racing against the same search in which every new candidate meets all tasks, for equally many generations and for as
 * many trials as racing took. Prints what each took, the true sealed gain of the champions (known here), and the 95% t
 * interval of the loss over seeds, which must lie above −2 points at half the trials or fewer.
 *
 *   npm run bench:racing -- [--runs 20] [--population 16] [--generations 50] [--first-tasks N] [--processes 2]
 */
import { parseArgs } from 'node:util';
import type { SearchSettings } from '../../src/config.ts';
import { tInterval } from '../../src/statistics/interval.ts';
import { mean, points, range } from './simulation/figures.ts';
import { inProcesses } from './simulation/in-processes.ts';
import { simulate, usualSearch } from './simulation/run.ts';
import { founders, manyGenes, trueGain } from './simulation/world.ts';

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

type Side = { search: number; all: number; gain: number };

/** One seed: with racing, without it, and without it in as many trials as racing took. */
async function oneSeed(seed: number): Promise<[Side, Side, Side]> {
  const world = manyGenes(seed);
  const search = {
    ...usualSearch,
    elites: Math.min(6, Math.max(1, Math.floor((3 * population) / 8))),
    firstTasks: Number(values['first-tasks']),
    // Claims steer nothing.
    claims: 0,
  };
  const side = async (change: Partial<SearchSettings>): Promise<Side> => {
    const run = await simulate(world, { population, generations, search: { ...search, ...change } });
    const champion = run.genome(run.result.champion!.id);
    const { first, rest, finals } = run.planned;
    return {
      search: first + rest,
      all: first + rest + finals,
      gain: trueGain(world, champion, founders[0]!.genome, run.tasksOf('sealed')),
    };
  };
  const raced = await side({});
  const full = await side({ without: ['racing'] });
  return [raced, full, await side({ without: ['racing'], searchTrials: raced.all })];
}

const seeds = await inProcesses(Number(values.processes), runs, (piece) => oneSeed(1 + piece));
const [raced, full, cut] = [0, 1, 2].map((i) => seeds.map((sides) => sides[i]!)) as [Side[], Side[], Side[]];
const worst = (list: readonly Side[]) => Math.min(...list.map(({ gain }) => gain));
console.log(
  `| ${runs} seeds, ${population} × ${generations} | trials of generations | with finals | true gain | worst seed |`,
);
console.log('|---|---|---|---|---|');
for (const [name, list] of [
  ['racing', raced],
  ['all on all tasks', full],
  ['all on all tasks, in as many trials as racing', cut],
] as const) {
  const trials = (key: 'search' | 'all') => mean(list.map((side) => side[key])).toFixed(0);
  const gain = points(mean(list.map((side) => side.gain)));
  console.log(`| ${name} | ${trials('search')} | ${trials('all')} | ${gain} | ${points(worst(list))} |`);
}
const share = mean(raced.map((side, i) => side.search / full[i]!.search));
const differences = (from: readonly Side[]) => raced.map((side, i) => side.gain - from[i]!.gain);
const against = (from: readonly Side[]) =>
  `${points(mean(differences(from)))}, 95% ${range(tInterval(differences(from)))}`;
console.log(
  `racing takes ${(100 * share).toFixed(0)}% of the trials of the generations, and saves ${(100 - 100 * share).toFixed(0)}%`,
);
console.log(`racing − full, equal generations, in points: ${against(full)}, paired over seeds`);
console.log(`racing − full, equal trials, in points: ${against(cut)}`);
console.log(
  `holds: at most half the trials ${share <= 0.5}, loss above −2 points ${tInterval(differences(full))[0] > -0.02}`,
);
