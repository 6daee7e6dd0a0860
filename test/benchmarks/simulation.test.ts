import { describe, expect, it } from 'vitest';
import { mean, shareInterval, upperBound } from '../../benchmarks/engine/simulation/figures.ts';
import { agentNoise, drawScore } from '../../benchmarks/engine/simulation/noise.ts';
import { simulate, usualSearch } from '../../benchmarks/engine/simulation/run.ts';
import { founders, nullWorld, trueGain, trueMean } from '../../benchmarks/engine/simulation/world.ts';
import { plainGenome } from '../fixtures/synthetic-world.ts';

describe('exact bounds of a share', () => {
  it('agrees with closed forms and a published table', () => {
    // No hit: 1 − (1 − level)^(1/n); nothing but hits: 1.
    expect(upperBound(0, 1000)).toBeCloseTo(1 - 0.05 ** (1 / 1000), 8);
    expect(upperBound(7, 7)).toBe(1);
    // Clopper and Pearson at 95%: 2 of 10 gives 2.52% to 55.61%.
    const [low, high] = shareInterval(2, 10);
    expect(low).toBeCloseTo(0.0252, 4);
    expect(high).toBeCloseTo(0.5561, 4);
    expect(shareInterval(0, 10)[0]).toBeCloseTo(0, 8);
  });
});

describe('noise of simulated trials', () => {
  const variants = [agentNoise, { ...agentNoise, heat: true }, { ...agentNoise, width: 0.05, heat: true }];

  it('leaves the mean as it is at any heat, within [0, 1]', () => {
    for (const noise of variants) {
      for (const [level, temperature] of [
        [0.3, 0],
        [0.5, 1],
        [0.8, 2],
      ] as const) {
        const scores = Array.from({ length: 4000 }, (_, i) =>
          drawScore(noise, level, temperature, i, `own ${i}`),
        );
        expect(Math.abs(mean(scores) - level)).toBeLessThan(0.02);
        expect(Math.min(...scores)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...scores)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('shares luck between genomes on the same seed, and not the whole', () => {
    const pairs = Array.from({ length: 2000 }, (_, i) => [
      drawScore(agentNoise, 0.5, 1, i, `a ${i}`),
      drawScore(agentNoise, 0.5, 1, i, `b ${i}`),
    ]) as [number, number][];
    const together = mean(pairs.map(([a, b]) => (a - 0.5) * (b - 0.5)));
    const alone = mean(pairs.map(([a]) => (a - 0.5) ** 2));
    expect(Math.sqrt(alone)).toBeGreaterThan(0.2);
    expect(Math.sqrt(alone)).toBeLessThan(0.3);
    expect(together / alone).toBeGreaterThan(0.2);
    expect(together / alone).toBeLessThan(0.6);
  });
});

describe('a simulated world', () => {
  const planted = { ...nullWorld(3), effects: [0.2, 0] };
  const helped = plainGenome({ rules: { 'gene-0': { when: 'always', text: 'Keep to habit 0.' } } });

  it('knows what a rule gains, also where tasks differ', () => {
    const [baseline] = founders;
    expect(trueGain(planted, helped, baseline!.genome, ['a', 'b'])).toBeCloseTo(0.2, 9);
    const unlike = { ...planted, unlike: 1 };
    const tasks = Array.from({ length: 500 }, (_, i) => `task-${i}`);
    const gains = tasks.map(
      (task) => trueMean(unlike, helped, task) - trueMean(unlike, baseline!.genome, task),
    );
    expect(mean(gains)).toBeCloseTo(0.2, 1);
    expect(Math.max(...gains) - Math.min(...gains)).toBeGreaterThan(0.3);
    expect(trueGain(unlike, helped, baseline!.genome, null)).toBeCloseTo(0.2, 9);
  });

  it('runs the whole engine, the same each time', async () => {
    const size = { population: 8, generations: 3, search: { ...usualSearch, finalRepeats: 2, finalists: 2 } };
    const [first, again] = [await simulate(planted, size), await simulate(planted, size)];
    expect(first.result.stop).toBe('finished');
    expect(again.result).toEqual(first.result);
    expect([...again.state.candidates.keys()]).toEqual([...first.state.candidates.keys()]);
    expect([...first.state.candidates.values()].some(({ operator }) => operator === 'mutate-text')).toBe(
      true,
    );
    expect(first.planned.sealed).toBeGreaterThan(0);
    // No other world is the same one.
    const other = await simulate({ ...planted, seed: 4 }, size);
    expect(other.result).not.toEqual(first.result);
  });
});
