import { describe, expect, test } from 'vitest';
import {
  type Attribution,
  activeShare,
  byEffect,
  effectOf,
  type GeneEffect,
  type Pair,
} from '../../src/report/attribution.ts';
import { attributionNotes, attributionRows } from '../../src/report/attribution-text.ts';

const pairs = (task: string, ...differences: number[]): Pair[] =>
  differences.map((difference) => ({ task, difference, active: null }));

const effect = (mean: number | null): GeneEffect['effect'] => ({ mean, ci95: [-1, 1], tasks: 2, pairs: 4 });
const gene = (path: string, mean: number | null): GeneEffect => ({
  genes: [{ path, before: '1', after: '2' }],
  without: 'w',
  effect: effect(mean),
  active: null,
});

describe('the effect of a gene', () => {
  test('weighs tasks alike, however many repeats each has, and its interval is over task means', () => {
    const found = effectOf([...pairs('a', 0.5, 0.5, 0.5, 0.5), ...pairs('b', 0.1), ...pairs('c', 0, 0)]);
    expect(found.mean).toBeCloseTo(0.2, 12);
    // Task means 0.5, 0.1, 0: sd 0.264575, t(0.975, 2) = 4.302653.
    const half = (4.302653 * 0.2645751) / Math.sqrt(3);
    expect(found.ci95[0]).toBeCloseTo(0.2 - half, 5);
    expect(found.ci95[1]).toBeCloseTo(0.2 + half, 5);
    expect(found).toMatchObject({ tasks: 3, pairs: 7 });
  });

  test('is nothing without a pair, and says nothing of its certainty on a single task', () => {
    expect(effectOf([])).toEqual({ mean: null, ci95: [-1, 1], tasks: 0, pairs: 0 });
    expect(effectOf(pairs('a', 0.2, 0.4)).ci95).toEqual([-1, 1]);
  });

  test('a gene is active in a share of the pairs of which that is known', () => {
    const known = [true, false, false, true, true].map((active) => ({ task: 'a', difference: 0, active }));
    expect(activeShare([...known, ...pairs('a', 0, 0)])).toBe(0.6);
    expect(activeShare(pairs('a', 0))).toBeNull();
  });

  test('the greatest comes first, what was not measured last', () => {
    const rows = [gene('d', null), gene('b', 0), gene('c', 0.2), gene('a', 0)].sort(byEffect);
    expect(rows.map(({ genes }) => genes[0]!.path)).toEqual(['c', 'a', 'b', 'd']);
  });
});

test('the text says what the figures are not, and that genes interact', () => {
  const found: Attribution = {
    ...{ version: 1, champion: 'c', baseline: 'b', suiteHash: 'h', model: 'offline', seed: 1 },
    repeats: 4,
    tasks: { search: 2, validation: 0 },
    trials: { planned: 32, lost: 3 },
    total: effect(0.3),
    genes: [gene('limits.turns', 0.05), gene('limits.jobs', -0.01)],
  };
  expect(attributionRows(found, 40)[1]).toEqual(['−0.010', '−1.000 to +1.000', '–', 'limits.jobs: 1 → 2']);
  const notes = attributionNotes(found).join('\n');
  expect(notes).toMatch(/2 search tasks, 4 fresh repeats each \(32 trials, 3 of them lost\)/);
  expect(notes).toMatch(/not adjusted.*nothing is credited/);
  expect(notes).toMatch(/alone they come to \+0\.040, together to \+0\.300/);
});
