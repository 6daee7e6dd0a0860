import { rngAt } from '../../../src/rng.ts';

/** How trials of a simulated world scatter around the true mean. */
export type Noise = {
  /** Half the width of what a trial that does not fail may give, in score. */
  width: number;
  /** Share of the luck, as a variance, that the trial's seed deals to every genome alike, in [0, 1]. */
  shared: number;
  /** Whether temperature scales the scatter: 0.3 of it at 0, all of it at 2; the mean is the same at any heat. */
  heat: boolean;
};

/**
 * Like the offline agent's: within a task the standard deviation of one trial is 0.2 to 0.3, one trial in ten fails
 * and scores 0, and half of the luck comes with the seed.
 */
export const agentNoise: Noise = { width: 0.35, shared: 0.5, heat: false };

/** What a genome's true mean on a task must stay within, so that noise of any size stays in [0, 1]. */
export const MEANS = { least: 0.05, most: 0.85 };

const FAILURES = 0.1;
/** The standard normal quantile of `FAILURES`. */
const FAILS_BELOW = -1.2815515655446004;

/**
 * The score of one trial, in [0, 1], exactly `mean` in expectation: with chance 0.1 it fails and has 0, else it lies
 * symmetrically around mean ÷ 0.9. `seed` is the trial's, `id` names what only this trial meets.
 */
export function drawScore(noise: Noise, mean: number, temperature: number, seed: number, id: string): number {
  const all = rngAt('shared luck', seed);
  const own = rngAt('own luck', id);
  const [together, alone] = [Math.sqrt(noise.shared), Math.sqrt(1 - noise.shared)];
  const luck = () => together * all.normal() + alone * own.normal();
  const failed = luck() < FAILS_BELOW;
  const centre = mean / (1 - FAILURES);
  const width = Math.min(noise.width, centre, 1 - centre);
  const score = failed ? 0 : centre + width * Math.tanh(luck());
  return noise.heat ? mean + (0.3 + 0.35 * temperature) * (score - mean) : score;
}
