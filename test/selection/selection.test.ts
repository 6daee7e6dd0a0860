import { describe, expect, test } from 'vitest';
import type { Candidate, Estimate, Operator } from '../../src/event.ts';
import { rngAt } from '../../src/rng.ts';
import { priorMean, updateEstimate } from '../../src/selection/estimate.ts';
import {
  chooseOperator,
  creditOperators,
  OPERATORS,
  operatorChances,
} from '../../src/selection/operators.ts';
import { survive } from '../../src/selection/survival.ts';
import { tournament } from '../../src/selection/tournament.ts';

const believed = (shrunk: number): Estimate => ({
  ...{ n: 8, sum: 8 * shrunk, squares: 0, score: 0.5, repeats: 1, error: 0.1, shrunk },
});
const candidate = (id: string, lineage: string, operator: Operator = 'mutate-params'): Candidate => ({
  ...{ id, lineage, operator, parents: ['parent'], generation: 1, slot: 0 },
  ...{ hypothesis: '', predicted: [], changes: [], lessons: [] },
});
const estimates = (values: Record<string, number>) =>
  new Map(Object.entries(values).map(([id, value]) => [id, believed(value)]));

describe('estimates', () => {
  const pairs = [0.3, 0.1, 0.2].map((difference) => ({ difference, score: 0.5 + difference }));

  test('shrink towards the prior with the weight of three trials', () => {
    expect(updateEstimate(undefined, pairs, 0.08, true)).toMatchObject({ n: 3, repeats: 1 });
    expect(updateEstimate(undefined, pairs, 0.08, true).shrunk).toBeCloseTo((3 * 0.08 + 0.6) / 6, 12);
    expect(updateEstimate(undefined, [], 0.08, true).shrunk).toBeCloseTo(0.08, 12);
  });

  test('grow block by block to what all blocks at once give, and become surer', () => {
    const once = updateEstimate(undefined, [...pairs, ...pairs], 0, true);
    const twice = updateEstimate(updateEstimate(undefined, pairs, 0, true), pairs, 0, true);
    for (const key of ['n', 'sum', 'squares', 'score', 'shrunk', 'error'] as const) {
      expect(twice[key]).toBeCloseTo(once[key], 12);
    }
    expect(twice.error).toBeLessThan(updateEstimate(undefined, pairs, 0, true).error);
    expect(twice.score).toBeCloseTo(0.7, 12);
  });

  test('a child may expect 0.8 of its parents’ mean', () => {
    expect(priorMean([believed(0.2), believed(0.1)])).toBeCloseTo(0.12, 12);
    expect(priorMean([])).toBe(0);
  });
});

describe('the tournament', () => {
  test('prefers the better, the more so the larger it is', () => {
    const worth = estimates({ a: 0.1, b: 0.3, c: 0.2 });
    const wins = (size: number) =>
      Array.from({ length: 300 }, (_, i) => tournament(['a', 'b', 'c'], worth, size, rngAt('t', i))).filter(
        (id) => id === 'b',
      ).length;
    // 1 − (2/3)^size of the draws hold b
    expect(wins(1) / 300).toBeCloseTo(1 / 3, 1);
    expect(wins(3) / 300).toBeCloseTo(19 / 27, 1);
    expect(() => tournament([], worth, 3, rngAt('t'))).toThrow('without contestants');
  });
});

describe('survival', () => {
  const pool = [...'abcde']
    .map((id) => candidate(id, 'first'))
    .concat(candidate('x', 'second'), candidate('y', 'third'));
  const worth = estimates({ a: 0.5, b: 0.4, c: 0.3, d: 0.2, e: 0.1, x: 0.05, y: -0.1 });

  test('a lineage holds at most 60% of the places; the rest goes to the best of the others', () => {
    expect(survive(pool, worth, 5)).toEqual(['a', 'b', 'c', 'x', 'y']);
  });

  test('within that the best live on, best first', () => {
    expect(survive(pool, worth, 3)).toEqual(['a', 'b', 'x']);
    expect(survive(pool, worth, 1)).toEqual(['a']);
  });

  test('places are not left empty for want of other lineages', () => {
    expect(survive(pool.slice(0, 5), worth, 5)).toHaveLength(5);
  });
});

describe('operators', () => {
  test('are drawn by how well their children did, none less than 15 times in 100', () => {
    const records = new Map([
      ['mutate-text', { bred: 50, refused: 0, survived: 9, gain: 5 }],
      ['crossover', { bred: 50, refused: 0, survived: 0, gain: 0 }],
    ]);
    const chances = operatorChances(records);
    expect(chances.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    expect(Math.min(...chances)).toBeGreaterThanOrEqual(0.15);
    expect(chances.indexOf(Math.max(...chances))).toBe(OPERATORS.indexOf('mutate-text'));
    const drawn = Array.from({ length: 400 }, (_, i) => chooseOperator(records, 4, rngAt('o', i)));
    for (const [i, operator] of OPERATORS.entries()) {
      expect(drawn.filter((it) => it === operator).length / 400).toBeCloseTo(chances[i]!, 1);
    }
  });

  test('crossover needs two', () => {
    const drawn = Array.from({ length: 200 }, (_, i) => chooseOperator(new Map(), 1, rngAt('o', i)));
    expect(drawn).not.toContain('crossover');
  });

  test('are credited with what children gain, never below 0, and with refusals', () => {
    const bred = [candidate('good', 'l', 'crossover'), candidate('bad', 'l', 'crossover')];
    const refusal = {
      generation: 1,
      slot: 3,
      operator: 'mutate-text' as const,
      parent: 'parent',
      reason: 'no JSON',
    };
    const worth = estimates({ parent: 0.1, good: 0.3, bad: -0.4 });
    const records = creditOperators(new Map(), bred, [refusal], ['good'], worth);
    expect(records.crossover).toMatchObject({ bred: 2, refused: 0, survived: 1 });
    expect(records.crossover!.gain).toBeCloseTo(0.2, 12);
    expect(records['mutate-text']).toMatchObject({ bred: 0, refused: 1 });
  });
});
