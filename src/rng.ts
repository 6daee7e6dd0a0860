import seedrandom from 'seedrandom';

/** A stream of random numbers that belongs to one purpose. */
export type Rng = {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in 0 … n − 1. */
  int(n: number): number;
  /** One element; throws on an empty list. */
  pick<T>(items: readonly T[]): T;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
};

/**
 * The generator for what the keys name, e.g. `rngAt(seed, 'vary', generation, slot)`. Never a shared stream:
 * the same keys give the same numbers, whatever else was drawn before.
 */
export function rngAt(...keys: (string | number)[]): Rng {
  const next = seedrandom.alea(keys.join('\u0000'));
  const int = (n: number) => Math.floor(next() * n);
  return {
    next,
    int,
    pick: (items) => {
      if (items.length === 0) throw new Error('pick from an empty list');
      return items[int(items.length)] as (typeof items)[number];
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle: (items) => {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [copy[i], copy[j]] = [copy[j]!, copy[i]!];
      }
      return copy;
    },
  };
}

/** A 32-bit seed for what the keys name, for interfaces that want a number (the `seed` of a chat request). */
export function seedAt(...keys: (string | number)[]): number {
  return rngAt(...keys).int(2 ** 31);
}
