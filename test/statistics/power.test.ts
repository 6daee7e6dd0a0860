import { describe, expect, test } from 'vitest';
import { rngAt } from '../../src/rng.ts';
import { detectable, signFlipPower } from '../../src/statistics/power.ts';
import { signFlip } from '../../src/statistics/sign-flip.ts';

/** The power by running the test itself on fresh draws. */
function byRunning(effect: number, sd: number, tasks: number, alpha: number, runs: number): number {
  const rng = rngAt('fresh', tasks);
  let shown = 0;
  for (let run = 0; run < runs; run++) {
    const xs = Array.from({ length: tasks }, () => effect + sd * rng.normal());
    if (signFlip(xs) < alpha && xs.reduce((sum, x) => sum + x, 0) > 0) shown++;
  }
  return shown / runs;
}

describe('power of the sign-flip test', () => {
  test.each([
    [7, 0.2, 3000],
    [8, 0.15, 3000],
    [10, 0.1, 2000],
    [11, 0.13, 1500],
    // From here on Student's t stands for it.
    [12, 0.1, 2000],
    [14, 0.1, 1000],
    [16, 0.08, 150],
  ])('%d tasks: as often as the test itself does', (tasks, effect, runs) => {
    const power = signFlipPower({ effect, sd: 0.15, tasks, alpha: 0.025 });
    const wanted = byRunning(effect, 0.15, tasks, 0.025, runs);
    const error = Math.sqrt(wanted * (1 - wanted) * (1 / runs + 1 / 2000));
    expect(Math.abs(power - wanted)).toBeLessThan(2.5 * error);
  });

  test('like the t test in the tables (two-sided 5%: d = 0.5 with 34 pairs 0.81, d = 0.8 with 15 pairs 0.82)', () => {
    expect(signFlipPower({ effect: 0.5, sd: 1, tasks: 34, alpha: 0.05 })).toBeCloseTo(0.81, 1.7);
    expect(signFlipPower({ effect: 0.8, sd: 1, tasks: 15, alpha: 0.05 })).toBeCloseTo(0.82, 1.7);
  });

  test('too few tasks: no effect can be shown, whatever its size', () => {
    for (const tasks of [0, 1, 6]) {
      expect(signFlipPower({ effect: 1, sd: 0.01, tasks, alpha: 0.025 })).toBe(0);
      expect(detectable({ sd: 0.01, tasks, alpha: 0.025, power: 0.8 })).toBeNull();
    }
    expect(signFlipPower({ effect: 1, sd: 0.01, tasks: 7, alpha: 0.025 })).toBe(1);
    expect(signFlipPower({ effect: 1, sd: 0.01, tasks: 6, alpha: 0.05 })).toBe(1);
  });

  test('no effect is shown no more often than alpha / 2, and without noise every effect', () => {
    expect(signFlipPower({ effect: 0, sd: 0.2, tasks: 12, alpha: 0.025 })).toBeLessThan(0.02);
    expect(signFlipPower({ effect: 0, sd: 0, tasks: 12, alpha: 0.025 })).toBe(0);
    expect(signFlipPower({ effect: 0.01, sd: 0, tasks: 12, alpha: 0.025 })).toBe(1);
  });

  test('grows with effect and tasks, falls with noise', () => {
    const design = { effect: 0.1, sd: 0.15, tasks: 10, alpha: 0.025 };
    const power = signFlipPower(design);
    expect(signFlipPower(design)).toBe(power);
    expect(signFlipPower({ ...design, effect: 0.12 })).toBeGreaterThan(power);
    expect(signFlipPower({ ...design, tasks: 20 })).toBeGreaterThan(power);
    expect(signFlipPower({ ...design, sd: 0.2 })).toBeLessThan(power);
  });

  test.each([[8], [12], [20]])('%d tasks: the detectable effect is where the power is reached', (tasks) => {
    const design = { sd: 0.15, tasks, alpha: 0.025 };
    const effect = detectable({ ...design, power: 0.8 })!;
    expect(signFlipPower({ ...design, effect })).toBeGreaterThanOrEqual(0.8);
    expect(signFlipPower({ ...design, effect: effect - 0.001 })).toBeLessThan(0.8);
  });

  test('an effect above 1 there is not', () => {
    expect(detectable({ sd: 2, tasks: 8, alpha: 0.025, power: 0.8 })).toBeNull();
    expect(detectable({ sd: 0, tasks: 8, alpha: 0.025, power: 0.8 })).toBeCloseTo(0, 6);
  });
});
