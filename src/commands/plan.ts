import type { RunConfig } from '../config.ts';
import type { Founders } from '../genome/founders.ts';
import { count, span, table } from '../report/format.ts';
import type { Role, Suite } from '../suite/suite.ts';
import { displayed } from './read-report.ts';

/** What a run would do: for `--dry-run`. Trials and jobs are counts, `ms` a wall time. */
export type Plan = {
  suite: { dir: string; name: string; version: string; tasks: Record<Role, number> };
  founders: string[];
  baseline: string;
  model: string;
  seed: number;
  population: number;
  generations: number;
  trials: { most: number; expected: number };
  jobs: { expected: number };
  ms: { expected: number; basis: string };
  out: string;
};

/** Shares and times of earlier runs of the default configuration on two cores: rough, and said so. */
const SEEN = {
  /** New candidates that are measured beyond their first tasks. */
  admitted: 0.33,
  /** Distinct jobs a trial; the others are answered by the cache. */
  jobsATrial: 0.45,
  /** Wall time of a job on one of two busy cores, and of what else a trial takes, in milliseconds. */
  jobMs: 200,
  trialMs: 25,
};

/** The plan of a run; pure arithmetic, see `SEEN` for its basis. */
export function planOf(config: RunConfig, suite: Suite, founders: Founders, out: string | null): Plan {
  const tasks = { search: 0, validation: 0, sealed: 0 };
  for (const task of suite.tasks) tasks[task.role]++;
  const { population, generations, search, workers } = config;
  const first = Math.min(search.firstTasks, tasks.search);
  // The baseline is measured too, beside the elites, so that differences are paired.
  const incumbents = search.elites + 1;
  const children = population - search.elites;
  const perGeneration = (share: number) =>
    incumbents * tasks.search + children * (first + share * (tasks.search - first));
  const end = endTrials(config, suite);
  const most = Math.round(generations * perGeneration(1) + end);
  const expected = Math.round(generations * perGeneration(SEEN.admitted) + end);
  const jobs = Math.round(expected * SEEN.jobsATrial);
  const trials = config.budgetTrials === null ? expected : Math.min(expected, config.budgetTrials);
  const ms = Math.round((jobs * SEEN.jobMs + trials * SEEN.trialMs) / workers);
  return {
    suite: { dir: displayed(suite.dir), name: suite.name, version: suite.version, tasks },
    founders: [...founders.genomes.keys()],
    baseline: founders.baseline,
    model: config.model,
    seed: config.seed,
    population,
    generations,
    trials: { most, expected: trials },
    jobs: { expected: jobs },
    ms: {
      expected: config.maxTimeMs === null ? ms : Math.min(ms, config.maxTimeMs),
      basis: `${SEEN.jobMs} ms a job and ${SEEN.trialMs} ms a trial, on ${workers} cores; the cache is taken to be empty`,
    },
    out: out === null ? 'runs/<date>-<n>' : displayed(out),
  };
}

/** How many trials follow the last generation: finals, then champion and baseline on validation and sealed tasks. */
export function endTrials({ search, population, generations }: RunConfig, { tasks }: Suite): number {
  const finalists = Math.min(search.finalists, population * generations - 1);
  const searched = tasks.filter(({ role }) => role === 'search').length;
  return (
    (finalists + 1) * search.finalRepeats * searched + 2 * search.sealedRepeats * (tasks.length - searched)
  );
}

/** The plan for people. */
export function planText(plan: Plan): string {
  const { tasks } = plan.suite;
  return table(
    [
      ['suite', `${plan.suite.name} ${plan.suite.version} (${plan.suite.dir})`],
      ['tasks', `${tasks.search} search, ${tasks.validation} validation, ${tasks.sealed} sealed`],
      ['founders', `${plan.founders.join(', ')}; compared with ${plan.baseline}`],
      ['model', plan.model],
      ['search', `population ${plan.population}, ${plan.generations} generations, seed ${plan.seed}`],
      ['trials', `about ${count(plan.trials.expected)}, at most ${count(plan.trials.most)}`],
      ['jobs', `about ${count(plan.jobs.expected)} distinct ones`],
      ['time', `about ${span(plan.ms.expected)}: ${plan.ms.basis}`],
      ['writes to', plan.out],
    ],
    [0, 1],
  );
}
