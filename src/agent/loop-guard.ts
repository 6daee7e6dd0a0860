import type { Genome } from '../genome/genome.ts';

/** Watches an agent's steps for repetition: the same call with the same result, or nearly so. */
export type LoopGuard = {
  /** Takes one step (its calls and their results as text); says whether it repeats a recent one. */
  repeats(step: string): boolean;
};

/**
 * A guard by the genes of `loop`: a step repeats when it is at least as alike as `similarity` to one of the
 * `window` steps before it. Likeness is the Jaccard index of the steps' words, in [0, 1].
 * After an alarm the window starts anew, so that one loop gives one warning and not one a turn.
 */
export function loopGuard(loop: Genome['loop']): LoopGuard {
  let recent: Set<string>[] = [];
  return {
    repeats(step) {
      if (loop.action === 'off') return false;
      const words = wordsOf(step);
      const found = recent.some((earlier) => jaccard(earlier, words) >= loop.similarity);
      recent = found ? [] : [...recent, words].slice(-loop.window);
      return found;
    },
  };
}

function wordsOf(text: string): Set<string> {
  return new Set(text.split(/\s+/).filter((word) => word !== ''));
}

function jaccard(a: Set<string>, b: Set<string>): number {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared++;
  const all = a.size + b.size - shared;
  return all === 0 ? 1 : shared / all;
}
