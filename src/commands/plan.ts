import type { Part, RunConfig, Strategy } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Founders } from '../genome/founders.ts';
import type { Purpose } from '../llm/ledger-book.ts';
import { count, money, span, table } from '../report/format.ts';
import { finalTrials } from '../selection/allowance.ts';
import { claimTrials } from '../selection/claims.ts';
import { refuseImpossibleSearch } from '../selection/feasible.ts';
import { strategyOf } from '../selection/strategy.ts';
import type { Role, Suite } from '../suite/suite.ts';
import { suiteWarnings } from './audited.ts';
import { type Expectation, expectationOf, expectationRows } from './expectation.ts';
import { type Forecast, forecastBasis, forecastOf, type Setup, type Workload } from './forecast.ts';
import { jobForecast } from './job-forecast.ts';
import { runnerName } from './jobs.ts';
import type { Parties, Party } from './parties.ts';
import { displayed } from './read-report.ts';
import { finalistsAtMost, searchForecast } from './search-forecast.ts';

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
  /** `first`: at least so many in the first generation. */
  trials: { first: number; most: number; expected: number };
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
  const ground = { founders: Math.min(founders.genomes.size, population), tasks: tasks.search };
  refuseImpossibleSearch(config, ground);
  const searched = searchForecast(config, ground);
  const end = endTrials(config, suite, searched.trials.expected);
  const expected = searched.trials.expected + end.all;
  const jobs = jobForecast(suite.tasks, config);
  const trials = Math.min(expected, config.budgetTrials ?? expected);
  const setup = setupOf(config, parties, suite, founders);
  const { edits, cases } = searched;
  const rounds = searched.generations;
  const work = { trials, mutations: rounds * edits, critiques: rounds * cases, generations: rounds };
  const forecast = (of: Workload) => forecastOf(asked(of, parties, config.replay), setup);
  const all = forecast(work);
  const basis = config.replay === null ? forecastBasis(setup) : `all replies come from ${config.replay}`;
  const once = { trials: searched.first.expected, mutations: edits, critiques: cases, generations: 1 };
  const jobMs = Math.round(trials * jobs.ms);
  const real = parties.agent.baseURL !== null;
  // Models are waited for while jobs run, so the longer of the two is what counts.
  const callMs = real ? Math.round(1000 * all.seconds) : 0;
  const ms = Math.max(jobMs, callMs);
  return {
    suite: { dir: displayed(suite.dir), name: suite.name, version: suite.version, tasks },
    warnings: suiteWarnings(suite),
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
      most: searched.trials.most + endTrials(config, suite, searched.trials.most).all,
      expected: trials,
    },
    finds: expectationOf(config, suite, expected - end.claims),
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
    refuse('--budget-trials', String(budgetTrials), `${plan.trials.first} trials`);
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
): { claims: number; all: number } {
  const { search } = config;
  const tasks = (role: Role) => suite.tasks.filter((task) => task.role === role).length;
  const finals = finalTrials(search, finalistsAtMost(config), tasks('search'));
  const sealed = 2 * search.sealedRepeats * tasks('sealed');
  const may = search.claims > 0 && tasks('validation') > 0;
  const claims = may ? claimTrials(search.claimShare, searched + finals + sealed) : 0;
  return { claims, all: finals + sealed + claims };
}

/** The plan for people; where `tasks` is a text it stands as it is. */
export function planText(
  plan: Omit<Plan, 'suite'> & {
    suite: Omit<Plan['suite'], 'tasks'> & { tasks: Record<Role, number> | string };
  },
): string {
  const { tasks } = plan.suite;
  const { all, first, basis } = plan.calls;
  const { agent, mutator, critic } = plan.models;
  const cost =
    all.usd === null || first.usd === null
      ? 'no price known'
      : `about $${dollars(all.usd)}; the first generation about $${dollars(first.usd)}`;
  const calls = [
    ['calls', `about ${rough(all.calls)}: ${rough(all.tokensIn)} tokens in, ${rough(all.tokensOut)} out`],
    ['money', cost],
    ['basis', basis],
  ];
  const real = [agent, mutator, critic].some(({ endpoint }) => endpoint !== null);
  return table(
    [
      ['suite', `${plan.suite.name} ${plan.suite.version} (${plan.suite.dir})`],
      ['tasks', typeof tasks === 'string' ? tasks : rolesText(tasks)],
      ...plan.warnings.map((line) => ['warning', line]),
      ['founders', `${plan.founders.join(', ')}; compared with ${plan.baseline}`],
      ['agent', named(agent)],
      ['mutator', named(mutator)],
      ['critic', named(critic)],
      ...(plan.frozen.length > 0 ? [['frozen', plan.frozen.join(', ')]] : []),
      ['search', searchText(plan)],
      ['trials', `about ${count(plan.trials.expected)}, at most ${count(plan.trials.most)}`],
      ...expectationRows(plan.finds, plan.claimShare),
      ['jobs', `about ${count(plan.jobs.expected)} distinct ones, on ${plan.jobs.on}`],
      ...(real ? calls : []),
      ['time', `about ${span(plan.ms.expected)}: ${plan.ms.basis}`],
      ['writes to', plan.out],
    ],
    [0, 1],
  );
}

function searchText({
  population,
  generations,
  seed,
  search,
}: Pick<Plan, 'population' | 'generations' | 'seed' | 'search'>): string {
  const { strategy, without, generations: expected } = search;
  const how =
    strategy === 'chain' ? 'a chain' : `${strategy === 'random' ? 'random, ' : ''}population ${population}`;
  const rounds = expected < generations ? `about ${expected} generations` : `${generations} generations`;
  const less = without.length === 0 ? '' : `, without ${without.join(', ')}`;
  return `${how}, ${rounds}, seed ${seed}${less}`;
}

function rolesText({ search, validation, sealed }: Record<Role, number>): string {
  return `${search} search, ${validation} validation, ${sealed} sealed`;
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

function named({ model, endpoint }: { model: string; endpoint: string | null }): string {
  return endpoint === null ? `${model}, a stand-in, in process` : `${model} at ${endpoint}`;
}

/** Two digits: a forecast knows no more. */
function rough(value: number): string {
  return count(Number(value.toPrecision(2)));
}

/** Cents, or more digits for what is less than a dollar. */
function dollars(usd: number): string {
  return usd >= 1 || usd === 0 ? usd.toFixed(2) : usd.toPrecision(2);
}
