import { UserError } from '../errors.ts';
import { type Ground, leastAllowance } from './allowance.ts';
import { operatorsOf } from './operators.ts';
import { places, type Told } from './strategy.ts';

/**
 * Throws a `UserError` where the settings leave a search that cannot be: nothing to breed with, or fewer
 * `searchTrials` than one generation and its finals may take.
 */
export function refuseImpossibleSearch(identity: Told, ground: Ground): void {
  const { search } = identity;
  const operators = operatorsOf(search);
  if (operators.length === 0) {
    const why = search.strategy === undefined ? '' : `, as a ${search.strategy} search has no crossover`;
    throw new UserError(
      `--without ${search.without?.join(',')} leaves no operator to breed with${why}`,
      'leave at least one of them in: crossover, llm-edits, typed-steps',
    );
  }
  if (
    operators.every((operator) => operator === 'crossover') &&
    Math.min(places(identity), ground.founders) < 2
  )
    throw new UserError(
      'crossover alone needs two founders, and two survivors to breed from',
      'give two founders or more, and --elites 2 or more, or leave llm-edits or typed-steps in',
    );
  const least = leastAllowance(identity, ground);
  if (search.searchTrials !== undefined && search.searchTrials < least) {
    throw new UserError(
      `--search-trials ${search.searchTrials} does not hold one generation and the finals, which take up to ${least}`,
      `allow at least ${least}, or take a smaller --population, --finalists or --final-repeats`,
    );
  }
}
