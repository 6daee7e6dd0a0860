import { describe, expect, test } from 'vitest';
import { type Rng, rngAt } from '../../src/rng.ts';
import { confidenceSequence, eProcess } from '../../src/statistics/betting.ts';

/** The next value of a sequence in [−1, 1], given those before; its mean given them is `mean`. */
type Shape = { name: string; mean: number; next: (rng: Rng, before: readonly number[]) => number };

const STAKES = Array.from({ length: 20 }, (_, i) => 1 - (0.025 + 0.05 * i) ** 2);
const clip = (x: number) => Math.max(-1, Math.min(1, x));
const SHAPES: Shape[] = [
  { name: 'heads or tails', mean: 0, next: (rng) => (rng.next() < 0.5 ? 1 : -1) },
  { name: 'seldom much, often less', mean: 0, next: (rng) => (rng.next() < 0.1 ? 0.9 : -0.1) },
  { name: 'often some, seldom a disaster', mean: 0, next: (rng) => (rng.next() < 0.9 ? 0.1 : -0.9) },
  { name: 'nothing ever differs', mean: 0, next: () => 0 },
  {
    name: 'heavy tails',
    mean: 0,
    next: (rng) => clip((0.1 * rng.normal()) / Math.abs(rng.normal())),
  },
  {
    name: 'larger steps while it is behind',
    mean: 0,
    next: (rng, before) => {
      const step = before.reduce((sum, x) => sum + x, 0) < 0 ? 1 : 0.1;
      return rng.next() < 0.5 ? step : -step;
    },
  },
];

function sequence(shape: Shape, length: number, ...keys: (string | number)[]): number[] {
  const rng = rngAt(shape.name, ...keys);
  const xs: number[] = [];
  while (xs.length < length) xs.push(shape.next(rng, xs));
  return xs;
}

/** Values like those of a pass over validation tasks: normal noise about a gain. */
function passes(gain: number, sd: number, length: number, ...keys: (string | number)[]): number[] {
  const rng = rngAt('passes', ...keys);
  return Array.from({ length }, () => clip(gain + sd * rng.normal()));
}

describe('the e-process', () => {
  test('by plain products: the mean of Π (1 + λx) over λ = 1 − u², u = 0.025, 0.075 … 0.975', () => {
    const xs = [1, 1, -1, 0.3, -0.2];
    const capital = xs.map((_, i) => {
      const capitals = STAKES.map((stake) => xs.slice(0, i + 1).reduce((c, x) => c * (1 + stake * x), 1));
      return capitals.reduce((sum, c) => sum + c, 0) / 20;
    });
    eProcess(xs).forEach((e, i) => {
      expect(e).toBeCloseTo(capital[i]!, 12);
    });
    // by hand: 2 − the mean of u², which is 1/3 − 1/4800
    expect(eProcess([1])[0]).toBeCloseTo(1.666875, 12);
    expect(eProcess([])).toEqual([]);
  });

  test('a value looks at nothing that comes after it', () => {
    const xs = passes(0.1, 0.3, 50);
    expect(eProcess(xs).slice(0, 20)).toEqual(eProcess(xs.slice(0, 20)));
  });

  test('10,000 values neither overflow nor become something that JSON has not', () => {
    expect(eProcess(Array(10_000).fill(1)).at(-1)).toBe(Number.MAX_VALUE);
    const lost = eProcess(Array(10_000).fill(-1)).at(-1)!;
    expect(lost).toBeGreaterThanOrEqual(0);
    expect(lost).toBeLessThan(1e-100);
  });

  test.each([[1.01], [-1.01], [Number.NaN]])('%d is no difference of scores, and is refused', (x) => {
    expect(() => eProcess([0, x])).toThrow('not in [−1, 1]');
    expect(() => confidenceSequence([0, x], 0.05)).toThrow('not in [−1, 1]');
  });

  test.each(SHAPES)('without a gain ($name) it reaches 1 / α in at most α of 2,000 sequences', (shape) => {
    const most = Array.from({ length: 2000 }, (_, run) => Math.max(...eProcess(sequence(shape, 200, run))));
    for (const alpha of [0.2, 0.05, 0.0125]) {
      expect(most.filter((e) => e >= 1 / alpha).length / most.length).toBeLessThanOrEqual(alpha);
    }
  });

  test('with a gain it is found, the sooner the larger the gain', () => {
    const found = (gain: number, length: number) => {
      const runs = Array.from({ length: 300 }, (_, run) => eProcess(passes(gain, 0.15, length, gain, run)));
      return runs.filter((es) => es.some((e) => e >= 80)).length / runs.length;
    };
    const [small, middle, large] = [found(0.05, 60), found(0.1, 60), found(0.2, 60)];
    expect(small).toBeLessThan(middle);
    expect(middle).toBeLessThan(large);
    expect(large).toBeGreaterThan(0.95);
    expect(found(0.1, 30)).toBeLessThan(middle);
    expect(found(0.1, 120)).toBeGreaterThan(0.95);
  });
});

describe('the confidence sequence', () => {
  test('its ends are where the two players have 1 / α together, by plain products', () => {
    const capital = (xs: number[], m: number) => {
      let sum = 0;
      for (const stake of STAKES) {
        sum += xs.reduce((product, x) => product * (1 + (stake / (1 + m)) * (x - m)), 1) / 40;
        sum += xs.reduce((product, x) => product * (1 - (stake / (1 - m)) * (x - m)), 1) / 40;
      }
      return sum;
    };
    for (const length of [3, 7, 8, 30, 100]) {
      const xs = passes(0.3, 0.3, length);
      const [low, high] = confidenceSequence(xs, 0.05);
      if (low > -1) expect(capital(xs, low)).toBeCloseTo(20, 4);
      if (high < 1) expect(capital(xs, high)).toBeCloseTo(20, 4);
      const mean = xs.reduce((sum, x) => sum + x, 0) / length;
      expect(low).toBeLessThan(mean);
      expect(high).toBeGreaterThan(mean);
    }
  });

  test('mirrored values, mirrored interval; a smaller alpha, a longer one; more values, a shorter one', () => {
    const xs = passes(0.1, 0.2, 200);
    const [low, high] = confidenceSequence(xs, 0.05);
    const mirrored = confidenceSequence(
      xs.map((x) => -x),
      0.05,
    );
    expect(mirrored[0]).toBeCloseTo(-high, 8);
    expect(mirrored[1]).toBeCloseTo(-low, 8);
    const [longerLow, longerHigh] = confidenceSequence(xs, 0.005);
    expect(longerLow).toBeLessThan(low);
    expect(longerHigh).toBeGreaterThan(high);
    expect(high - low).toBeLessThan(0.12);
    const [early, late] = confidenceSequence(xs.slice(0, 50), 0.05);
    expect(late - early).toBeGreaterThan(high - low);
  });

  test('nothing seen says nothing; all the same at an end of the range', () => {
    expect(confidenceSequence([], 0.05)).toEqual([-1, 1]);
    expect(confidenceSequence([0], 0.05)[0]).toBeLessThan(-0.9);
    const [low, high] = confidenceSequence(Array(100).fill(1), 0.05);
    expect(high).toBe(1);
    expect(low).toBeGreaterThan(0.85);
    expect(confidenceSequence(Array(100).fill(-1), 0.05)[0]).toBe(-1);
    expect(() => confidenceSequence([0], 0)).toThrow('alpha');
  });

  test('looked at again and again, it misses the mean at some time in at most α of the sequences', () => {
    const looks = [1, 2, 4, 8, 16, 32, 64];
    const gain: Shape = { name: 'a large gain', mean: 0.8, next: (rng) => (rng.next() < 0.9 ? 1 : -1) };
    for (const shape of [SHAPES[0]!, SHAPES[1]!, SHAPES[5]!, gain]) {
      let missed = 0;
      const runs = 150;
      for (let run = 0; run < runs; run++) {
        const xs = sequence(shape, looks.at(-1)!, 'looks', run);
        const holds = looks.every((look) => {
          const [low, high] = confidenceSequence(xs.slice(0, look), 0.1);
          return low <= shape.mean && shape.mean <= high;
        });
        if (!holds) missed++;
      }
      expect(missed / runs).toBeLessThanOrEqual(0.1);
    }
  });
});
