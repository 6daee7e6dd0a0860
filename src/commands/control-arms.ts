import type { Control, RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import { type Ground, leastAllowance } from '../selection/allowance.ts';
import { strategyOf } from '../selection/strategy.ts';
import type { Suite } from '../suite/suite.ts';
import { type SearchForecast, searchForecast } from './search-forecast.ts';

/** What a control arm is forecast to take: its search, null for plain sampling, and its trials, sealed ones included. */
export type ArmForecast = { arm: Control; trials: number; search: SearchForecast | null };

/** Throws a `UserError` for control arms that would have nothing to be compared by, or be the run's own search again. */
export function refuseControl(config: RunConfig, { name, tasks }: Suite): void {
  if (config.control.length === 0) return;
  if (!tasks.some(({ role }) => role === 'sealed')) {
    throw new UserError(
      `--control compares searches on sealed tasks, and the suite ${name} has none`,
      'leave --control out, or give tasks of suite.json the role "sealed"',
    );
  }
  const own = strategyOf(config);
  if (config.control.some((arm) => arm === own)) {
    throw new UserError(
      `--control ${own} would compare a search of --strategy ${own} with itself`,
      `leave ${own} out of --control, or leave --strategy out`,
    );
  }
}

/**
 * What an arm is told: `trials` of search, the run's other settings, every part in use. No claims: what an arm may spend
 * goes into its search. A search gets at least what one generation and its finals may take, or it could not begin. A
 * generation takes a block at least, which bounds their number.
 */
export function armConfig(config: RunConfig, arm: Control, trials: number, ground: Ground): RunConfig {
  const { strategy: _, without: __, ...rest } = config.search;
  const search = { ...rest, claims: 0, ...(arm === 'resample' ? {} : { strategy: arm }) };
  const least = arm === 'resample' ? 1 : leastAllowance({ ...config, search }, ground);
  const searchTrials = Math.max(trials, least);
  return {
    ...config,
    control: [],
    generations: Math.min(10_000, Math.max(1, Math.ceil(searchTrials / Math.max(1, ground.tasks)))),
    search: { ...search, searchTrials },
  };
}

/**
 * The arms of a run whose own search is forecast to take so many trials, finals included; no budget is looked at. On
 * sealed tasks a search scores champion and baseline, plain sampling the baseline beside its draws.
 */
export function forecastArms(
  config: RunConfig,
  { tasks }: Suite,
  trials: number,
  ground: Ground,
): ArmForecast[] {
  const once = config.search.sealedRepeats * tasks.filter(({ role }) => role === 'sealed').length;
  return config.control.map((arm) => {
    const own = armConfig(config, arm, trials, ground);
    const searchTrials = own.search.searchTrials!;
    return arm === 'resample'
      ? { arm, trials: searchTrials + once, search: null }
      : { arm, trials: searchTrials + 2 * once, search: searchForecast(own, ground) };
  });
}
