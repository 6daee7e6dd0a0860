import type { RunConfig } from '../config.ts';
import type { Founders } from '../genome/founders.ts';
import { tooFewTasks } from '../report/folds.ts';
import { table } from '../report/format.ts';
import type { Fold } from '../suite/folds.ts';
import type { Task } from '../suite/suite.ts';
import { leftOutLines } from './audited.ts';
import { cannotCredit } from './claimable.ts';
import { expectationOf, noCredit } from './expectation.ts';
import type { Forecast } from './forecast.ts';
import type { Parties } from './parties.ts';
import { type Plan, planOf } from './plan.ts';
import { planText } from './plan-text.ts';

/** What a run with folds would do: each fold with the ids of its sealed tasks, and the plan of all of them together. */
export type FoldsPlan = Omit<Plan, 'suite'> & {
  suite: Omit<Plan['suite'], 'tasks'> & { tasks: number };
  folds: { fold: string; sealed: string[]; search: number; validation: number; trials: Plan['trials'] }[];
  /** Why no verdict is possible, where that is so beforehand; else null. */
  noVerdict: string | null;
};

/** Trials, calls and times are summed over the folds, which come one after the other; budgets bound all of them together. */
export function planFolds(
  config: RunConfig,
  parties: Parties,
  folds: readonly Fold[],
  founders: Founders,
): FoldsPlan {
  const alone = { ...config, budgetTrials: null, maxTimeMs: null };
  const plans = folds.map(({ suite }) => planOf(alone, parties, suite, founders));
  const [first] = plans as [Plan];
  const tasks = first.suite.tasks.search + first.suite.tasks.validation + first.suite.tasks.sealed;
  const sum = (value: (plan: Plan) => number) => plans.reduce((all, plan) => all + value(plan), 0);
  const expected = sum(({ trials }) => trials.expected);
  const affordable = Math.min(expected, config.budgetTrials ?? expected);
  const allSealed = folds[0]!.suite.tasks.map((task): Task => ({ ...task, role: 'sealed' }));
  const ms = sum((plan) => plan.ms.expected);
  return {
    ...first,
    suite: { ...first.suite, tasks },
    // Every task was tried, for there is a search that each is open to; why there is no verdict stands in `noVerdict`.
    warnings: [
      ...leftOutLines(folds[0]!.suite),
      ...[...cannotCredit(folds[0]!.suite.tasks), ...noCredit(first.finds)].map(
        (line) => `in each fold ${line}`,
      ),
    ],
    seed: config.seed,
    folds: folds.map(({ name, suite }, i) => ({
      fold: name,
      sealed: suite.tasks.filter(({ role }) => role === 'sealed').map(({ id }) => id),
      search: plans[i]!.suite.tasks.search,
      validation: plans[i]!.suite.tasks.validation,
      trials: plans[i]!.trials,
    })),
    trials: {
      ...first.trials,
      first: sum(({ trials }) => trials.first),
      most: sum(({ trials }) => trials.most),
      expected: affordable,
    },
    // The verdict is over all tasks, each sealed once.
    finds: {
      ...first.finds,
      sealed: expectationOf(config, { ...folds[0]!.suite, tasks: allSealed }, 0).sealed,
    },
    jobs: { ...first.jobs, expected: Math.round((affordable / expected) * sum(({ jobs }) => jobs.expected)) },
    calls: {
      ...first.calls,
      all: sumOf(plans.map(({ calls }) => calls.all)),
      first: sumOf(plans.map(({ calls }) => calls.first)),
    },
    ms: { ...first.ms, expected: Math.min(ms, config.maxTimeMs ?? ms) },
    noVerdict: tooFewTasks(tasks),
  };
}

/** The plan for people. */
export function foldsPlanText(plan: FoldsPlan): string {
  const rows = plan.folds.map(({ fold, sealed, search, validation, trials }) => [
    fold,
    String(search),
    String(validation),
    String(trials.expected),
    sealed.join(', '),
  ]);
  const tasks = `${plan.suite.tasks}, each sealed in one of ${plan.folds.length} folds; below is what all take together, credit is each fold's own`;
  const { suite, ...rest } = plan;
  return [
    planText({ ...rest, suite: { ...suite, tasks } }),
    table([['fold', 'search', 'validation', 'trials', 'sealed'], ...rows], [0, 4]),
  ].join('\n\n');
}

function sumOf(forecasts: readonly Forecast[]): Forecast {
  const sum = (value: (one: Forecast) => number) => forecasts.reduce((all, one) => all + value(one), 0);
  return {
    calls: sum(({ calls }) => calls),
    tokensIn: sum(({ tokensIn }) => tokensIn),
    tokensOut: sum(({ tokensOut }) => tokensOut),
    usd: forecasts.some(({ usd }) => usd === null) ? null : sum(({ usd }) => usd ?? 0),
    seconds: sum(({ seconds }) => seconds),
  };
}
