import { describe, expect, test } from 'vitest';
import { curveOf, type Metric, type PruneRule, readMetric, watchCurve } from '../../src/jobs/curve.ts';

const line = (value: string, step = '1') => `metric {"name": "loss", "step": ${step}, "value": ${value}}`;
const points = (values: number[], name = 'loss'): Metric[] =>
  values.map((value, i) => ({ name, step: 10 * (i + 1), value }));
const rule = (change: Partial<PruneRule> = {}): PruneRule => ({
  ...{ metric: 'loss', direction: 'min', hash: 'h' },
  limits: [
    { step: 20, value: 3 },
    { step: 40, value: 2 },
  ],
  ...change,
});

/** The step at which a job that prints this is stopped; null where it is not. */
function stoppedAt(metrics: Metric[], under = rule()): number | null {
  const watch = watchCurve(under);
  return metrics.find((metric) => watch(metric))?.step ?? null;
}

describe('a metric line', () => {
  test('is read', () => {
    expect(readMetric(line('2.5', '40'))).toEqual({ name: 'loss', step: 40, value: 2.5 });
  });

  test.each([
    ['NaN', line('NaN')],
    ['infinity', line('1e999')],
    ['null', line('null')],
    ['a text', line('"2"')],
    ['a step below zero', line('1', '-1')],
    ['no step', 'metric {"name": "loss", "value": 1}'],
    ['no JSON', 'metric {loss: 1}'],
    ['a torn line', line('2').slice(0, -5)],
    ['a name without end', `metric {"name": "${'x'.repeat(10_000)}", "step": 1, "value": 1}`],
    ['a list', 'metric [1, 2]'],
    ['talk', 'the metric {"name": "loss", "step": 1, "value": 1}'],
  ])('that is %s is none', (_, text) => {
    expect(readMetric(text)).toBeNull();
  });
});

describe('a job under a rule', () => {
  test('is stopped at the second point in a row that is dominated', () => {
    expect(stoppedAt(points([9, 8, 7, 6]))).toBe(30);
  });

  test('goes on while its best value so far keeps up, whatever the last one is', () => {
    expect(stoppedAt(points([1.5, 8, 8, 8, 8]))).toBeNull();
    expect(stoppedAt(points([5, 3, 3, 2, 2, 2]))).toBeNull();
  });

  test('goes on after one bad point', () => {
    expect(stoppedAt(points([9, 9, 2.5, 2.5, 1]))).toBeNull();
  });

  test('is left alone before the first limit, and where it prints another metric or only nonsense', () => {
    expect(stoppedAt(points([9, 9]).map((point) => ({ ...point, step: point.step / 10 })))).toBeNull();
    expect(stoppedAt(points([9, 9, 9, 9], 'accuracy'))).toBeNull();
    const printed = [line('NaN', '30'), line('9', '"40"'), 'metric {', line('NaN', '50'), line('9', '60')];
    expect(stoppedAt(printed.flatMap((text) => readMetric(text) ?? []))).toBeNull();
  });

  test('cannot be judged twice by one step', () => {
    expect(stoppedAt(Array.from({ length: 5 }, () => ({ name: 'loss', step: 50, value: 9 })))).toBeNull();
  });

  test('where more is better, is stopped below the limits', () => {
    const up = rule({ direction: 'max' });
    expect(stoppedAt(points([1, 1, 1]), up)).toBe(30);
    expect(stoppedAt(points([4, 1, 1, 1]), up)).toBeNull();
  });
});

describe('a curve', () => {
  test('holds best values so far, of one metric, by rising step', () => {
    const printed = [
      ...points([3, 5, 2]),
      { name: 'accuracy', step: 35, value: 9 },
      { name: 'loss', step: 30, value: 0 },
      { name: 'loss', step: 50, value: 2.5 },
    ];
    expect(curveOf(printed, rule())).toEqual([
      { step: 10, value: 3 },
      { step: 20, value: 3 },
      { step: 30, value: 2 },
      { step: 50, value: 2 },
    ]);
    expect(curveOf(points([1], 'accuracy'), rule())).toBeNull();
  });

  test('is thinned, its ends kept', () => {
    const curve = curveOf(points(Array.from({ length: 1000 }, (_, i) => 1000 - i)), rule())!;
    expect(curve).toHaveLength(32);
    expect([curve[0], curve[31]]).toEqual([
      { step: 10, value: 1000 },
      { step: 10_000, value: 1 },
    ]);
  });
});
