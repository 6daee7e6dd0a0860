import type { RunConfig } from '../config.ts';
import type { Founders } from '../genome/founders.ts';
import { finalTrials, type Ground } from '../selection/allowance.ts';
import { operatorsOf } from '../selection/operators.ts';
import { races, strategyOf, uses } from '../selection/strategy.ts';
import type { Suite } from '../suite/suite.ts';

/** What the generations of a search take, without finals and what follows them: counts. */
export type SearchForecast = {
  /** How many are to be expected: those asked for, or as many as the trials of the search allow. */
  generations: number;
  trials: { expected: number; most: number };
  /** Of the first generation: at least so many trials, and to be expected. */
  first: { least: number; expected: number };
  /** Of a generation: children that the mutator edits, and trials that the critic reads. */
  edits: number;
  cases: number;
};

/** Shares of earlier runs of the default configuration: rough, and said so. */
const SEEN = {
  /** New candidates that are measured beyond their first tasks. */
  admitted: 0.33,
  /** Children of a generation that the mutator edits where there are three operators, and cases that the critic reads. */
  edited: 0.3,
  cases: 3,
};

/** What a search on this suite stands on. */
export function groundOf({ population }: RunConfig, { tasks }: Suite, { genomes }: Founders): Ground {
  return {
    founders: Math.min(genomes.size, population),
    tasks: tasks.filter(({ role }) => role === 'search').length,
  };
}

/** What the generations of a search are forecast to take, on so many founders and search tasks. */
export function searchForecast(config: RunConfig, ground: Ground): SearchForecast {
  const { search } = config;
  const likely = courseOf(config, ground, SEEN.admitted);
  const dearest = courseOf(config, ground, 1);
  const finals = finalTrials(search, finalistsForeseen(config), ground.tasks);
  const all = search.searchTrials ?? Number.POSITIVE_INFINITY;
  const trialsOf = (generations: number) => likely.first + (generations - 1) * likely.later;
  let generations = 1;
  while (generations < config.generations && trialsOf(generations + 1) + finals <= all) generations++;
  const most = dearest.first + (config.generations - 1) * dearest.later;
  return {
    generations,
    trials: { expected: Math.round(trialsOf(generations)), most: Math.min(Math.round(most), all - finals) },
    first: { least: courseOf(config, ground, 0).first, expected: Math.round(likely.first) },
    edits: Math.round(editedShare(config) * likely.children),
    cases: uses(config, 'memory') ? SEEN.cases : 0,
  };
}

/** How many finalists there can be: a chain has an incumbent a generation, the others all that were measured. */
export function finalistsForeseen(config: Pick<RunConfig, 'search' | 'population' | 'generations'>): number {
  const { search, population, generations } = config;
  const there = strategyOf(config) === 'chain' ? generations : population * generations - 1;
  return Math.min(search.finalists, there);
}

/** Trials of the first generation and of each later one, where this share of the newcomers is let through by the race. */
function courseOf(
  config: RunConfig,
  { founders, tasks }: Ground,
  share: number,
): { first: number; later: number; children: number } {
  const { population, search } = config;
  switch (strategyOf(config)) {
    case 'chain':
      return { first: founders * tasks, later: 2 * tasks, children: 1 };
    case 'random':
      return { first: population * tasks, later: (population + 1) * tasks, children: population };
    case 'population': {
      const first = races(config) ? Math.min(search.firstTasks, tasks) : tasks;
      const measured = (full: number, fresh: number) =>
        full * tasks + fresh * (first + share * (tasks - first));
      const children = population - search.elites;
      // The baseline is measured too, beside the elites, so that differences are paired.
      return { first: measured(1, population - 1), later: measured(search.elites + 1, children), children };
    }
  }
}

/** Operators that are left out are made up for by the others. */
function editedShare({ search }: RunConfig): number {
  const operators = operatorsOf(search);
  if (!operators.includes('mutate-text')) return 0;
  return operators.length === 3 ? SEEN.edited : 1 / operators.length;
}
