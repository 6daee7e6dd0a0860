import type { SearchSettings } from '../../../src/config.ts';
import { UserError } from '../../../src/errors.ts';
import { PARTS } from '../../../src/settings.ts';

/** The arms and ablations that there are; all but `resample` are searches. */
export const ARMS = [
  'population',
  'chain',
  'random',
  'resample',
  ...PARTS.map((part) => `without-${part}`),
] as const;

/** Arms that are compared with the population at equal wall time too. */
export const TIMED = ['chain', 'random', 'resample'];

/** A bound that no search reaches; a run's length comes from its trials. */
const MANY_GENERATIONS = 10_000;

/** Genomes in a generation. */
export const POPULATION = 8;

/**
 * The settings of a search of about 600 trials. Finals must be able to tell candidates apart that differ by some points
 * and leave most of the trials to the search: 3 finalists and the baseline, 4 repeats of 8 tasks are 128, a fifth. A
 * population of 16 would see four generations of the rest, one of 8 sees about eight, and breeding needs generations.
 * No claims: validation trials come after the search, and are no part of what is compared. The same for every arm.
 */
export function searchOf(arm: string, trials: number | null): SearchSettings {
  const part = PARTS.find((candidate) => arm === `without-${candidate}`);
  return {
    tournament: 3,
    elites: 3,
    firstTasks: 3,
    finalRepeats: 4,
    finalists: 3,
    sealedRepeats: 5,
    claims: 0,
    claimShare: 0,
    ...(trials === null ? {} : { searchTrials: trials }),
    ...(arm === 'chain' || arm === 'random' ? { strategy: arm } : {}),
    ...(part ? { without: [part] } : {}),
  };
}

/** How many generations to ask for: `length` where it is given, else as many as the trials allow. */
export function generationsOf(length: number | null): number {
  return length ?? MANY_GENERATIONS;
}

/** `1-20`, `3` or `1,5,9` as numbers; throws a `UserError` for what is none. */
export function parseSeeds(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (from === undefined) throw new UserError(`--seeds cannot be '${text}'`, 'for example: 1-20');
    return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => Number(from) + i);
  });
}

/** Names of arms, separated by commas; throws a `UserError` for one that there is not. */
export function parseArms(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!(ARMS as readonly string[]).includes(name)) {
      throw new UserError(`--arms cannot have '${name}'`, `there are ${ARMS.join(', ')}`);
    }
  }
  return names;
}
