import type { Control, Part, RunConfig, Strategy } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Founders } from '../genome/founders.ts';
import type { Purpose } from '../llm/ledger-book.ts';
import { counted, dollars, money, rough } from '../report/format.ts';
import { finalTrials } from '../selection/allowance.ts';
import { claimTrials } from '../selection/claims.ts';
import { refuseImpossibleSearch } from '../selection/feasible.ts';
import { strategyOf } from '../selection/strategy.ts';
import type { Role, Suite } from '../suite/suite.ts';
import { suiteWarnings } from './audited.ts';
import { type ArmForecast, forecastArms, refuseControl } from './control-arms.ts';
import { type Expectation, expectationOf, noCredit } from './expectation.ts';
import { type Forecast, forecastBasis, forecastOf, type Setup, type Workload } from './forecast.ts';
import { jobForecast } from './job-forecast.ts';
import { runnerName } from './jobs.ts';
import type { Parties, Party } from './parties.ts';
import { displayed } from './read-report.ts';
import { finalistsForeseen, groundOf, type SearchForecast, searchForecast } from './search-forecast.ts';

/** What a run would do: for `--dry-run`. Trials and jobs are counts, `ms` a wall time. */
export type Plan = {
  suite: { dir: string; name: string; version: string; tasks: Record<Role, number> };
  /** What was left out of the suite, and what cannot be claimed on it. */
  warnings: string[];
  founders: string[];
  baseline: string;
  models: Record<Purpose, { model: string; endpoint: string | null }>;
  frozen: string[];
  seed: number;
  population: number;
  generations: number;
  /** How it searches, what it leaves out, and how many generations are to be expected. */
  search: { strategy: Strategy; without: Part[]; generations: number };
  /** Control arms included; `first`: at least so many in the first generation. */
  trials: { first: number; most: number; expected: number };
  /** What the run is compared with, and the trials that each arm is expected to take. */
  control: { arm: Control; trials: number }[];
  finds: Expectation;
  claimShare: number;
  /** Distinct ones, and where they run. */
  jobs: { expected: number; on: string };
  /** What models take: for all of it, and for the first generation. Zero for those that run in process. */
  calls: { all: Forecast; first: Forecast; basis: string };
  ms: { expected: number; basis: string };
  out: string;
};

/**
 * The plan of a run, or a `UserError` where its search cannot be; pure arithmetic, see `searchForecast`, `jobForecast` and
 * `forecastOf` for its basis.
 */
export function planOf(config: RunConfig, parties: Parties, suite: Suite, founders: Founders): Plan {
  const tasks = { search: 0, validation: 0, sealed: 0 };
  for (const task of suite.tasks) tasks[task.role]++;
  const { population, generations, search } = config;
  const ground = groundOf(config, suite, founders);
  refuseImpossibleSearch(config, ground);
  refuseControl(config, suite);
  const searched = searchForecast(config, ground);
  const end = endTrials(config, suite, searched.trials.expected);
  const expected = searched.trials.expected + end.all;
  const armsAt = (most: number) => forecastArms(config, suite, most + end.finals, ground);
  const arms = armsAt(searched.trials.expected);
  const jobs = jobForecast(suite.tasks, config);
  const trials = Math.min(expected + trialsOf(arms), config.budgetTrials ?? Number.POSITIVE_INFINITY);
  const setup = setupOf(config, parties, suite, founders);
  const { edits, cases } = searched;
  const rounds = searched.generations;
  const searches = [searched, ...arms.flatMap((arm) => arm.search ?? [])];
  const overAll = (value: (one: SearchForecast) => number) =>
    searches.reduce((sum, one) => sum + one.generations * value(one), 0);
  const work = {
    trials,
    mutations: overAll((one) => one.edits),
    critiques: overAll((one) => one.cases),
    generations: overAll(() => 1),
  };
  const forecast = (of: Workload) => forecastOf(asked(of, parties, config.replay), setup);
  const all = forecast(work);
  const basis = config.replay === null ? forecastBasis(setup) : `all replies come from ${config.replay}`;
  const once = { trials: searched.first.expected, mutations: edits, critiques: cases, generations: 1 };
  const jobMs = Math.round(trials * jobs.ms);
  const real = parties.agent.baseURL !== null;
  // Models are waited for while jobs run, so the longer of the two is what counts.
  const callMs = real ? Math.round(1000 * all.seconds) : 0;
  const ms = Math.max(jobMs, callMs);
  const finds = expectationOf(config, suite, expected - end.claims);
  return {
    suite: { dir: displayed(suite.dir), name: suite.name, version: suite.version, tasks },
    warnings: [...suiteWarnings(suite), ...noCredit(finds)],
    founders: [...founders.genomes.keys()],
    baseline: founders.baseline,
    models: {
      agent: placeOf(parties.agent),
      mutator: placeOf(parties.mutator),
      critic: placeOf(parties.critic),
    },
    frozen: parties.frozen,
    seed: config.seed,
    population,
    generations,
    search: { strategy: strategyOf(config), without: search.without ?? [], generations: rounds },
    trials: {
      first: searched.first.least,
      most:
        searched.trials.most +
        endTrials(config, suite, searched.trials.most).all +
        trialsOf(armsAt(searched.trials.most)),
      expected: trials,
    },
    control: arms.map(({ arm, trials }) => ({ arm, trials })),
    finds,
    claimShare: search.claimShare,
    jobs: { expected: Math.round(trials * jobs.jobs), on: runnerName(config) },
    calls: { all, first: forecast(once), basis },
    ms: {
      expected: Math.min(ms, config.maxTimeMs ?? ms),
      basis:
        callMs > jobMs ? `calls of models, of which ${config.calls.most} are in flight at most` : jobs.basis,
    },
    out: config.out === null ? 'runs/<date>-<n>' : displayed(config.out),
  };
}

/**
 * Throws a `UserError` where a budget does not pay for the first generation, by the forecast: the money would be spent
 * without anything to show for it.
 */
export function refuseSmallBudget(plan: Pick<Plan, 'calls' | 'trials'>, config: RunConfig): void {
  const { first } = plan.calls;
  const tokens = first.tokensIn + first.tokensOut;
  const refuse = (flag: string, given: string, needed: string) => {
    throw new UserError(
      `${flag} ${given} does not do for one generation, which takes about ${needed}`,
      'raise it, or take a smaller --population; --dry-run shows the forecast',
    );
  };
  const { budgetUsd, budgetTokens, budgetTrials } = config;
  if (budgetTrials !== null && plan.trials.first > budgetTrials) {
    refuse('--budget-trials', String(budgetTrials), counted(plan.trials.first, 'trial'));
  }
  if (budgetUsd !== null && first.usd !== null && first.usd > budgetUsd) {
    refuse('--budget-usd', String(budgetUsd), `$${dollars(first.usd)}`);
  }
  if (budgetTokens !== null && tokens > budgetTokens) {
    refuse('--budget-tokens', String(budgetTokens), `${rough(tokens)} tokens`);
  }
}

/** A warning where the forecast is above a budget, so that the run will hardly come to its verdict; null where it fits. */
export function tightBudget(
  { calls: { all } }: Pick<Plan, 'calls'>,
  { budgetUsd, budgetTokens }: RunConfig,
): string | null {
  const tokens = all.tokensIn + all.tokensOut;
  const dear = budgetUsd !== null && (all.usd ?? 0) > budgetUsd && `$${dollars(all.usd ?? 0)}`;
  const long = budgetTokens !== null && tokens > budgetTokens && `${rough(tokens)} tokens`;
  if (!dear && !long) return null;
  return (
    `warning: the run is forecast to take ${dear || long}, more than its budget: it may stop before its verdict; ` +
    'fewer --generations or --finalists cost less, and `evolve resume` with a larger budget goes on'
  );
}

/** What to say where a run costs money and no budget bounds it; null elsewhere. */
export function unboundedCost(
  { calls: { all } }: Pick<Plan, 'calls'>,
  { budgetUsd }: RunConfig,
): string | null {
  if (budgetUsd !== null || (all.usd ?? 0) === 0) return null;
  return `no --budget-usd is set, so nothing bounds what is spent; forecast: about ${money(all.usd!)}`;
}

/** How many trials follow the last generation at most: finals, claims, then champion and baseline on sealed tasks. */
export function endTrials(
  config: RunConfig,
  suite: Suite,
  searched: number,
): { finals: number; claims: number; all: number } {
  const { search } = config;
  const tasks = (role: Role) => suite.tasks.filter((task) => task.role === role).length;
  const finals = finalTrials(search, finalistsForeseen(config), tasks('search'));
  const sealed = 2 * search.sealedRepeats * tasks('sealed');
  const may = search.claims > 0 && tasks('validation') > 0;
  const claims = may ? claimTrials(search.claimShare, searched + finals + sealed) : 0;
  return { finals, claims, all: finals + sealed + claims };
}

function trialsOf(arms: readonly ArmForecast[]): number {
  return arms.reduce((sum, { trials }) => sum + trials, 0);
}

function setupOf(config: RunConfig, parties: Parties, suite: Suite, founders: Founders): Setup {
  return {
    tasks: suite.tasks.filter(({ role }) => role === 'search'),
    genome: founders.genomes.get(founders.baseline)!,
    profiles: {
      agent: parties.agent.profile,
      mutator: parties.mutator.profile,
      critic: parties.critic.profile,
    },
    concurrency: config.concurrency,
    calls: config.calls.most,
  };
}

/** The part of the work that endpoints do: nothing is asked of those who are in process, or on a cassette. */
function asked(work: Workload, { agent, mutator, critic }: Parties, replay: string | null): Workload {
  const share = ({ baseURL }: Party, times: number) => (baseURL === null || replay !== null ? 0 : times);
  return {
    ...work,
    trials: share(agent, work.trials),
    mutations: share(mutator, work.mutations),
    critiques: share(critic, work.critiques),
  };
}

function placeOf({ model, baseURL }: Party): { model: string; endpoint: string | null } {
  return { model, endpoint: baseURL };
}
