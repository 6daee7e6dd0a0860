import type { Estimate } from '../event.ts';
import type { Rng } from '../rng.ts';

/**
 * The best of `size` contestants drawn with replacement, by shrunk estimate; of equals, the one that stands first.
 * Throws on an empty list.
 */
export function tournament(
  contestants: readonly string[],
  estimates: ReadonlyMap<string, Estimate>,
  size: number,
  rng: Rng,
): string {
  const places = Array.from({ length: size }, () => rng.int(contestants.length));
  const worth = (place: number) => estimates.get(contestants[place] ?? '')?.shrunk ?? 0;
  const best = places.reduce((a, b) => (worth(b) > worth(a) || (worth(b) === worth(a) && b < a) ? b : a));
  const winner = contestants[best];
  if (winner === undefined) throw new Error('tournament without contestants');
  return winner;
}
