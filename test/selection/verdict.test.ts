import { describe, expect, test } from 'vitest';
import { judge } from '../../src/selection/verdict.ts';

const rows = (gains: readonly number[]) =>
  gains.map((gain, i) => {
    const distance = i < 2 ? ('near' as const) : ('far' as const);
    return { task: { distance }, baseline: 0.5, champion: 0.5 + gain, gain };
  });

describe('the verdict over sealed tasks', () => {
  test('is given from seven tasks on, and never over fewer, however clear', () => {
    expect(judge(rows(Array(7).fill(0.3)))).toMatchObject({ verdict: 'better', gain: { p: 2 / 2 ** 7 } });
    expect(judge(rows(Array(7).fill(-0.3))).verdict).toBe('worse');
    const few = judge(rows(Array(6).fill(0.3)));
    expect(few).toMatchObject({ verdict: 'cannot tell apart', power: { at20: 0, detectable: null } });
    expect(judge([])).toMatchObject({ verdict: 'no sealed tasks', gain: null, power: null });
  });

  test('is at 2.5%: a p between that and 5% tells nothing, though the interval leaves 0 out', () => {
    const { verdict, gain } = judge(rows([0.4, 0.4, 0.4, 0.3, 0.3, 0.1, 0.1, -0.2]));
    expect(gain!.p).toBe(10 / 2 ** 8);
    expect(gain!.ci95[0]).toBeGreaterThan(0);
    expect(verdict).toBe('cannot tell apart');
  });

  test('no interval goes beyond what a difference of scores can be', () => {
    const { near, far } = judge(rows([0.5, -0.3, 0.1, 0.2, 0.1]));
    expect(near!.ci95).toEqual([-1, 1]);
    expect(far!.ci95[0]).toBeGreaterThan(-1);
    expect(far!.ci95[1]).toBeLessThan(1);
  });
});
