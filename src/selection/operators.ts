import type { Part, SearchSettings } from '../config.ts';
import type { Candidate, Estimate, Operator, OperatorRecord, Refusal } from '../event.ts';
import type { Rng } from '../rng.ts';

/** The operators that breed from survivors. */
export const OPERATORS = ['mutate-params', 'mutate-text', 'crossover'] as const;
export type BreedingOperator = (typeof OPERATORS)[number];

/** The part of the search without which an operator is left out. */
const PART: Record<BreedingOperator, Part> = {
  'mutate-params': 'typed-steps',
  'mutate-text': 'llm-edits',
  crossover: 'crossover',
};

/** No operator is drawn less often than this, so that one with a bad start is still tried. */
const FLOOR = 0.15;
/** What a child is believed to gain before any was seen, and how many children that belief is worth. */
const USUAL_GAIN = 0.02;
const USUAL_WEIGHT = 10;

/** The operators that a search may draw, in the order of `OPERATORS`: chain and random search only mutate. */
export function operatorsOf({ strategy, without = [] }: SearchSettings): BreedingOperator[] {
  return OPERATORS.filter(
    (operator) => !without.includes(PART[operator]) && !(strategy !== undefined && operator === 'crossover'),
  );
}

/**
 * The chance of each of the `operators`: probability matching (Goldberg 1990) on the mean gain
 * of its children, a refused proposal counting as a child without gain, with a floor of 0.15.
 */
export function operatorChances(
  records: ReadonlyMap<string, OperatorRecord>,
  operators: readonly BreedingOperator[] = OPERATORS,
): number[] {
  const worths = operators.map((operator) => {
    const record = records.get(operator) ?? { bred: 0, refused: 0, gain: 0 };
    return (record.gain + USUAL_GAIN * USUAL_WEIGHT) / (record.bred + record.refused + USUAL_WEIGHT);
  });
  const total = worths.reduce((sum, worth) => sum + worth, 0);
  return worths.map((worth) => FLOOR + (1 - FLOOR * operators.length) * (worth / total));
}

/**
 * Draws one of the `operators`. Crossover needs two survivors, and gives way to the first of the others without them;
 * null where there is no other.
 */
export function chooseOperator(
  records: ReadonlyMap<string, OperatorRecord>,
  survivors: number,
  rng: Rng,
  operators: readonly BreedingOperator[] = OPERATORS,
): BreedingOperator | null {
  const other = operators.find((operator) => operator !== 'crossover') ?? null;
  let left = rng.next();
  for (const [i, chance] of operatorChances(records, operators).entries()) {
    left -= chance;
    const operator = operators[i]!;
    if (left < 0) return operator === 'crossover' && survivors < 2 ? other : operator;
  }
  return other;
}

/**
 * The records after a generation. `bred` are its new candidates and `refusals` its refused proposals; a child's
 * gain is what its estimate stands above its first parent's, never below 0, as the search keeps the best.
 */
export function creditOperators(
  before: ReadonlyMap<string, OperatorRecord>,
  bred: readonly Candidate[],
  refusals: readonly Refusal[],
  survivors: readonly string[],
  estimates: ReadonlyMap<string, Estimate>,
): Record<string, OperatorRecord> {
  const records = new Map<Operator, OperatorRecord>();
  for (const [name, record] of before) records.set(name as Operator, { ...record });
  const recordOf = (operator: Operator) => {
    const record = records.get(operator) ?? { bred: 0, refused: 0, survived: 0, gain: 0 };
    records.set(operator, record);
    return record;
  };
  for (const { operator, unanswered } of refusals) if (!unanswered) recordOf(operator).refused++;
  for (const child of bred) {
    const record = recordOf(child.operator);
    record.bred++;
    if (survivors.includes(child.id)) record.survived++;
    const parent = child.parents[0];
    if (parent !== undefined) record.gain += Math.max(0, gainOver(child.id, parent, estimates));
  }
  return Object.fromEntries(records);
}

/** Child − parent, of shrunk estimates. */
export function gainOver(child: string, parent: string, estimates: ReadonlyMap<string, Estimate>): number {
  return (estimates.get(child)?.shrunk ?? 0) - (estimates.get(parent)?.shrunk ?? 0);
}
