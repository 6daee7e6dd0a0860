import { describe, expect, test } from 'vitest';
import { rngAt } from '../../src/rng.ts';
import { tInterval, tQuantile } from '../../src/statistics/interval.ts';
import { signFlip } from '../../src/statistics/sign-flip.ts';

describe('the sign-flip test', () => {
  test('counted by hand: of the 8 signings of 1, 2, 3 only ±6 are as far out', () => {
    expect(signFlip([1, 2, 3])).toBe(2 / 8);
    // sums of ±1 ±2 ±3 reach |4| with +,+,+ / −,+,+ and their mirrors
    expect(signFlip([-1, 2, 3])).toBe(4 / 8);
    expect(signFlip([1, 2, -3])).toBe(1);
  });

  test("Darwin's maize, 15 pairs: p = 1726 / 32768, as Fisher counted (Design of Experiments, §21)", () => {
    const eighthsOfAnInch = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(signFlip(eighthsOfAnInch)).toBe(1726 / 32768);
  });

  test('like counting all signings one by one, on random whole numbers with ties and zeros', () => {
    for (let run = 0; run < 60; run++) {
      const rng = rngAt('signings', run);
      const xs = Array.from({ length: rng.int(9) }, () => rng.int(7) - 3);
      const sums = xs.reduce<number[]>((all, x) => all.flatMap((sum) => [sum + x, sum - x]), [0]);
      const observed = Math.abs(xs.reduce((sum, x) => sum + x, 0));
      // In tenths, where sums that should be equal differ by rounding.
      const p = signFlip(xs.map((x) => x / 10));
      expect(p).toBe(sums.filter((sum) => Math.abs(sum) >= observed).length / sums.length);
    }
  });

  test('where nothing gains, p ≤ α in at most a share α of the draws', () => {
    const ps = Array.from({ length: 2000 }, (_, run) => {
      const rng = rngAt('nothing', run);
      return signFlip(Array.from({ length: 9 }, () => rng.normal() / Math.max(0.1, rng.next())));
    });
    for (const alpha of [0.025, 0.05, 0.2]) {
      const error = Math.sqrt((alpha * (1 - alpha)) / ps.length);
      expect(ps.filter((p) => p <= alpha).length / ps.length).toBeLessThan(alpha + 2 * error);
    }
  });

  test('its least p is 2 / 2ⁿ, and no difference at all gives 1', () => {
    expect(signFlip(Array(12).fill(0.1))).toBe(2 / 4096);
    expect(signFlip([0, 0, 0])).toBe(1);
    expect(signFlip([])).toBe(1);
  });

  test('above 20 pairs it is sampled, the same each time, and close to the normal tail', () => {
    const values = Array.from({ length: 40 }, (_, i) => (i < 26 ? 1 : -1));
    expect(signFlip(values)).toBe(signFlip(values));
    // binomial: P(|X − 20| ≥ 6), X ~ B(40, ½)
    expect(signFlip(values)).toBeCloseTo(0.0807, 2);
  });
});

describe('the t interval', () => {
  test('quantiles stand in every table', () => {
    expect(tQuantile(0.975, 1)).toBeCloseTo(12.706, 3);
    expect(tQuantile(0.975, 2)).toBeCloseTo(4.303, 3);
    expect(tQuantile(0.975, 5)).toBeCloseTo(2.571, 3);
    expect(tQuantile(0.975, 11)).toBeCloseTo(2.201, 3);
    expect(tQuantile(0.975, 30)).toBeCloseTo(2.042, 3);
    expect(tQuantile(0.95, 7)).toBeCloseTo(1.895, 3);
    expect(tQuantile(0.99, 10)).toBeCloseTo(2.764, 3);
    expect(tQuantile(0.995, 20)).toBeCloseTo(2.845, 3);
    expect(tQuantile(0.9995, 4)).toBeCloseTo(8.61, 3);
    expect(tQuantile(0.975, 120)).toBeCloseTo(1.98, 3);
  });

  test('of 1, 2, 3: 2 ± 4.303 / √3', () => {
    const [low, high] = tInterval([1, 2, 3]);
    expect(low).toBeCloseTo(2 - 4.3027 / Math.sqrt(3), 3);
    expect(high).toBeCloseTo(2 + 4.3027 / Math.sqrt(3), 3);
  });

  test('one value says nothing', () => {
    expect(tInterval([0.3])).toEqual([-1, 1]);
  });
});
