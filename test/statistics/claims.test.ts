import { describe, expect, test } from 'vitest';
import { type Rng, rngAt } from '../../src/rng.ts';
import { confidenceSequence, eProcess } from '../../src/statistics/betting.ts';
import { eByLevel } from '../../src/statistics/e-by.ts';
import { levelOf } from '../../src/statistics/e-lond.ts';

const CLAIMS = 5;
const PASSES = 40;

const clip = (x: number) => Math.max(-1, Math.min(1, x));

/** Five claims with these gains; their passes share most of their noise, so that they err together. */
function dependent(gains: readonly number[], rng: Rng): number[][] {
  const shared = Array.from({ length: PASSES }, () => 0.4 * rng.normal());
  return gains.map((gain) => shared.map((noise) => clip(gain + noise + 0.1 * rng.normal())));
}

/** The claims one after the other, as a run makes them: each stops when it is credited. Those credited, with passes. */
function credit(claims: readonly number[][], alpha: number): { claim: number; xs: number[] }[] {
  const credited: { claim: number; xs: number[] }[] = [];
  claims.forEach((xs, claim) => {
    const level = levelOf({ number: claim + 1, claims: claims.length, credits: credited.length }, alpha);
    const at = eProcess(xs).findIndex((e) => e >= 1 / level);
    if (at >= 0) credited.push({ claim, xs: xs.slice(0, at + 1) });
  });
  return credited;
}

describe('levels of claims', () => {
  test('half for the first, the rest in equal parts; one more share for each credit', () => {
    expect(levelOf({ number: 1, claims: 5, credits: 0 }, 0.025)).toBeCloseTo(0.0125, 12);
    expect(levelOf({ number: 2, claims: 5, credits: 0 }, 0.025)).toBeCloseTo(0.003125, 12);
    expect(levelOf({ number: 5, claims: 5, credits: 0 }, 0.025)).toBeCloseTo(0.003125, 12);
    expect(levelOf({ number: 3, claims: 5, credits: 2 }, 0.025)).toBeCloseTo(0.009375, 12);
    expect(levelOf({ number: 1, claims: 1, credits: 0 }, 0.025)).toBe(0.025);
    expect(levelOf({ number: 6, claims: 5, credits: 5 }, 0.025)).toBe(0);
    expect(levelOf({ number: 1, claims: 0, credits: 0 }, 0.025)).toBe(0);
  });

  test('the shares of all claims together are never more than alpha', () => {
    for (let claims = 1; claims <= 100; claims++) {
      let sum = 0;
      for (let number = 1; number <= 110; number++) sum += levelOf({ number, claims, credits: 0 }, 1);
      expect(sum).toBeCloseTo(1, 12);
    }
  });

  test('more credits than earlier claims there cannot be', () => {
    expect(() => levelOf({ number: 2, claims: 5, credits: 2 }, 0.025)).toThrow('claim 2');
    expect(() => levelOf({ number: 0, claims: 5, credits: 0 }, 0.025)).toThrow('claim 0');
  });

  test.each([
    { name: 'nothing gains', gains: [0, 0, 0, 0, 0] },
    { name: 'the first gains much', gains: [0.4, 0, 0, 0, 0] },
    { name: 'two gain, one loses', gains: [0.3, 0, 0.3, -0.2, 0] },
    { name: 'four gain', gains: [0.3, 0.3, 0.3, 0.3, 0] },
  ])('of what is credited at most a share α is false, though the claims err together: $name', ({ gains }) => {
    const alpha = 0.2;
    const runs = 1500;
    let sum = 0;
    for (let run = 0; run < runs; run++) {
      const credited = credit(dependent(gains, rngAt('fdr', run)), alpha);
      const wrong = credited.filter(({ claim }) => gains[claim]! <= 0);
      sum += wrong.length / Math.max(1, credited.length);
    }
    expect(sum / runs).toBeLessThanOrEqual(alpha);
  });
});

describe('intervals of credited claims', () => {
  test('the level: α |S| / K', () => {
    expect(eByLevel(0.05, 2, 5)).toBeCloseTo(0.02, 12);
    expect(eByLevel(0.05, 5, 5)).toBe(0.05);
    expect(eByLevel(0.05, 0, 5)).toBe(0);
    expect(() => eByLevel(0.05, 6, 5)).toThrow('6 of 5');
  });

  test.each([
    { name: 'small gains', gains: [0.05, 0.05, 0.05, 0.05, 0.05] },
    { name: 'nothing and much', gains: [0, 0.3, 0, 0.3, 0] },
  ])('of those reported at the moment of crediting at most a share α misses: $name', ({ gains }) => {
    const alpha = 0.2;
    const runs = 300;
    let sum = 0;
    for (let run = 0; run < runs; run++) {
      const credited = credit(dependent(gains, rngAt('fcr', run)), alpha);
      const level = eByLevel(alpha, credited.length, CLAIMS);
      const missed = credited.filter(({ claim, xs }) => {
        const [low, high] = confidenceSequence(xs, level);
        return gains[claim]! < low || gains[claim]! > high;
      });
      sum += missed.length / Math.max(1, credited.length);
    }
    expect(sum / runs).toBeLessThanOrEqual(alpha);
  });

  test('the best of many by its own data: intervals at that level hold, those that ignore the choice do not', () => {
    const alpha = 0.2;
    const runs = 300;
    const claims = 40;
    let adjusted = 0;
    let naive = 0;
    for (let run = 0; run < runs; run++) {
      const rng = rngAt('best', run);
      const all = Array.from({ length: claims }, () =>
        Array.from({ length: 60 }, () => (rng.next() < 0.5 ? 0.3 : -0.3)),
      );
      const sum = (xs: number[]) => xs.reduce((total, x) => total + x, 0);
      const best = all.reduce((a, b) => (sum(b) > sum(a) ? b : a));
      if (confidenceSequence(best, eByLevel(alpha, 1, claims))[0] > 0) adjusted++;
      if (confidenceSequence(best, alpha)[0] > 0) naive++;
    }
    expect(adjusted / runs).toBeLessThanOrEqual(alpha);
    expect(naive / runs).toBeGreaterThan(alpha);
  });
});
