import type { RunConfig } from '../config.ts';
import { counted } from '../report/format.ts';
import type { Report } from '../report/model.ts';
import { FINALS } from '../selection/finalists.ts';
import { shellWord } from '../shell-word.ts';
import { type State, triedTrials } from '../state.ts';
import type { Suite } from '../suite/suite.ts';
import { budgetFor, MARGIN, roundedUp } from './enough-budget.ts';
import { endTrials, type Plan } from './plan.ts';

/** A run that stopped at a budget or time limit, and what it was to do. */
export type Limited = {
  report: Report;
  state: State;
  config: RunConfig;
  suite: Suite;
  plan: Pick<Plan, 'trials' | 'calls'>;
};

/**
 * How a run that stopped at a limit can go on, as lines for people, each command on a line of its own: with more budget; or
 * by ending its search with the generations that it has, for the verdict on what has been found.
 */
export function waysOn(limited: Limited): string[] {
  const { report, state, plan } = limited;
  const resume = `evolve resume ${shellWord(report.run)}`;
  if (state.result?.stop === 'finished') {
    return [
      'the run itself has its verdict; its control arms are not through. To go on with them:',
      `    ${resume}${budgetForArms(limited)}`,
    ];
  }
  const done = state.generation + 1;
  const end = endAhead(limited);
  const whole = `    ${resume}${paidBy(limited, Math.max(end, plan.trials.most - triedTrials(state)))}`;
  if (inFinals(limited)) {
    return [
      `there is no verdict yet, though the search is through: ${missing(end)}. To go on:`,
      `    ${resume}${paidBy(limited, end)}`,
    ];
  }
  if (done === 0) {
    return ['there is no verdict yet, nor a generation that is through. To go on:', whole];
  }
  const looked =
    state.sealedFor === null ? '' : ', already opened for an earlier champion: no other one gets a verdict';
  return [
    'there is no verdict yet, and there are two ways to one. To go on with the search:',
    whole,
    `to end it with the ${counted(done, 'generation')} that it has (${missing(end)}):`,
    `    ${resume} --generations ${done}${paidBy(limited, end)}`,
    `either way sealed tasks are opened once${looked || ': if the run is extended after that, no other champion gets a verdict'}`,
  ];
}

function missing(trials: number): string {
  return `finals, claims and sealed tasks take at most ${counted(trials, 'trial')} more`;
}

/** Trials that finals, claims and sealed tasks may still take, if the search ends with the generations that it has. */
function endAhead({ state, config, suite }: Limited): number {
  const from = firstOfFinals({ state, config });
  const trials = [...state.trials.values()];
  const searched = trials.filter(({ role, repeat }) => role === 'search' && repeat < FINALS).length;
  const done = trials.filter(
    ({ id, role, repeat }) =>
      state.outcomes.get(id)?.kind !== 'lost' && (role !== 'search' || repeat >= from),
  ).length;
  const ended = { ...config, generations: Math.max(1, state.generation + 1) };
  return Math.max(1, endTrials(ended, suite, searched).all - done);
}

/** Whether finals over the generations that there are have begun. */
function inFinals({ state, config }: Limited): boolean {
  const from = firstOfFinals({ state, config });
  if (state.generation + 1 >= state.generations) return true;
  return [...state.trials.values()].some(({ role, repeat }) => role === 'search' && repeat >= from);
}

function firstOfFinals({ state, config }: Pick<Limited, 'state' | 'config'>): number {
  return FINALS + (state.generation + 1) * config.search.finalRepeats;
}

/** The flag that pays for so many more trials. */
function paidBy({ report, state, plan }: Limited, trials: number): string {
  return budgetFor(report.stop, { cost: report.cost, tried: triedTrials(state) }, trials, plan.calls.all);
}

/** The flag that pays for the run with its control arms, by the forecast; `MORE` where that is no more than there was. */
function budgetForArms({ report: { stop }, config, plan }: Limited): string {
  if (stop === 'max-time') return '';
  const { usd, tokensIn, tokensOut } = plan.calls.all;
  const [all, before] =
    stop === 'budget-trials'
      ? [plan.trials.most, config.budgetTrials]
      : stop === 'budget-usd'
        ? [MARGIN * (usd ?? 0), config.budgetUsd]
        : [MARGIN * (tokensIn + tokensOut), config.budgetTokens];
  const enough = stop === 'budget-trials' ? all : roundedUp(all);
  return ` --${stop} ${all > (before ?? 0) ? enough : 'MORE'}`;
}
