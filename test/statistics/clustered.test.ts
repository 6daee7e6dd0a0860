import { describe, expect, test } from 'vitest';
import { rngAt } from '../../src/rng.ts';
import { clusteredInterval, clusteredSd, varianceParts } from '../../src/statistics/clustered.ts';

/** Observations of tasks whose true means are normal about `mean`. */
function tasks(
  mean: number,
  between: number,
  noise: number,
  repeats: readonly number[],
  key: number,
): number[][] {
  const rng = rngAt('tasks', key);
  return repeats.map((count) => {
    const truth = mean + between * rng.normal();
    return Array.from({ length: count }, () => truth + noise * rng.normal());
  });
}

describe('intervals clustered by task', () => {
  test('tasks count, not observations: 1, 2, 3 in whatever number gives 2 ± 4.303 / √3', () => {
    const { mean, ci95 } = clusteredInterval([[1], [2, 2, 2, 2], [2.5, 3.5]]);
    expect(mean).toBe(2);
    expect(ci95[0]).toBeCloseTo(2 - 4.3027 / Math.sqrt(3), 3);
    expect(ci95[1]).toBeCloseTo(2 + 4.3027 / Math.sqrt(3), 3);
  });

  test('tasks without an observation are left out; one task, or none, says nothing', () => {
    expect(clusteredInterval([[1], [], [3]])).toEqual(clusteredInterval([[1], [3]]));
    expect(clusteredInterval([[0.5, 0.7]])).toEqual({ mean: 0.6, ci95: [-1, 1] });
    expect(clusteredInterval([[], []])).toEqual({ mean: null, ci95: [-1, 1] });
  });

  test('covers the mean of all tasks that there might be in 93 to 97 of 100', () => {
    const runs = 3000;
    let held = 0;
    for (let run = 0; run < runs; run++) {
      const [low, high] = clusteredInterval(tasks(0.1, 0.1, 0.3, Array(12).fill(5), run)).ci95;
      if (low <= 0.1 && 0.1 <= high) held++;
    }
    expect(held / runs).toBeGreaterThan(0.93);
    expect(held / runs).toBeLessThan(0.97);
  });
});

describe('parts of the variance', () => {
  test('counted by hand: means 1, 3, 5 vary by 4; within tasks by 2; two repeats each', () => {
    const groups = [
      [0, 2],
      [2, 4],
      [4, 6],
    ];
    expect(varianceParts(groups)).toEqual({ between: 3, noise: 2 });
    expect(clusteredSd({ between: 3, noise: 2 }, 2)).toBe(2);
    expect(clusteredSd({ between: 3, noise: 2 }, 1)).toBeCloseTo(Math.sqrt(5), 12);
  });

  test('never below 0; one repeat promises nothing from further ones; one task tells nothing', () => {
    expect(varianceParts([[-1, 1], [-1, 1], []])).toEqual({ between: 0, noise: 2 });
    expect(varianceParts([[1], [3], [5]])).toEqual({ between: 4, noise: 0 });
    expect(varianceParts([[1, 2, 3]])).toBeNull();
    expect(varianceParts([])).toBeNull();
  });

  test('right on average, for repeats of unequal number too, so that other repeats can be forecast', () => {
    const runs = 1000;
    const repeats = [1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6];
    let between = 0;
    let noise = 0;
    let observed = 0;
    for (let run = 0; run < runs; run++) {
      const parts = varianceParts(tasks(0, 0.4, 0.3, repeats, run))!;
      between += parts.between / runs;
      noise += parts.noise / runs;
      const means = tasks(0, 0.4, 0.3, Array(12).fill(9), run + runs).map(
        (values) => values.reduce((sum, x) => sum + x, 0) / values.length,
      );
      observed += means.reduce((sum, x) => sum + x ** 2, 0) / means.length / runs;
    }
    expect(Math.abs(between - 0.16)).toBeLessThan(0.01);
    expect(Math.abs(noise - 0.09)).toBeLessThan(0.003);
    expect(Math.abs(clusteredSd({ between, noise }, 9) - Math.sqrt(observed))).toBeLessThan(0.01);
  });
});
