const STOP_WORDS = new Set(
  'a an and are as at be but by for from has have if in is it its not of on or so than that the then there this to was were when which with'.split(
    ' ',
  ),
);

/** The words of a text that carry meaning: lower case, at least two characters, without the commonest. */
export function wordsOf(text: string): Set<string> {
  const found = text.toLowerCase().match(/[a-z0-9_]+(?:[.-][a-z0-9_]+)*/g) ?? [];
  return new Set(found.filter((word) => word.length > 1 && !STOP_WORDS.has(word)));
}

/** Jaccard index of two sets of words: shared over all; 1 for two empty sets. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((word) => b.has(word)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 1 : shared / all;
}

/** The share of `a` that stands in `b`, in [0, 1]. */
export function coverage(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return a.size === 0 ? 0 : [...a].filter((word) => b.has(word)).length / a.size;
}
