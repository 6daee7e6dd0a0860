/** Words that carry no topic. */
const EMPTY = new Set(
  'a an and are as at be been but by can do does for from has have how if in into is it its may more most must no not of on one only or other out over same should so some such than that the their them then there these they this those to too up use used very was what when where which while who will with you your'.split(
    ' ',
  ),
);
const NEGATION = /\b(never|not|don't|avoid|stop|no longer|instead of|rather than)\b/i;
const MOST_CACHED = 5000;
const cache = new Map<string, ReadonlySet<string>>();

/** The topical words of a text, lower case, plainly stemmed. Settings such as `trees=20` stay whole. */
export function wordsOf(text: string): ReadonlySet<string> {
  const known = cache.get(text);
  if (known) return known;
  const words = new Set<string>();
  for (const [raw] of text.toLowerCase().matchAll(/[\p{L}\p{N}][\p{L}\p{N}=.'-]*/gu)) {
    const word = raw.replace(/[.'-]+$/, '');
    if (!EMPTY.has(word)) words.add(stem(word));
  }
  if (cache.size >= MOST_CACHED) cache.clear();
  cache.set(text, words);
  return words;
}

/** The share of `words` that `text` mentions, in [0, 1]. */
export function coverage(words: ReadonlySet<string>, text: string): number {
  if (words.size === 0) return 0;
  const found = wordsOf(text);
  let shared = 0;
  for (const word of words) if (found.has(word)) shared++;
  return shared / words.size;
}

/**
 * How strongly an advice speaks for (+) or against (−) what `words` describe, in [−1, 1]: the coverage by the whole
 * text, or, where the text holds a negation, the largest coverage by one of its sentences, negative if the negation
 * stands in that sentence. One shared word alone says nothing.
 */
export function advice(words: ReadonlySet<string>, text: string): number {
  if (!NEGATION.test(text)) {
    const share = coverage(words, text);
    return share * words.size < 1.5 ? 0 : share;
  }
  let strongest = 0;
  for (const sentence of text.split(/[.;:!?]\s|\n/)) {
    const share = coverage(words, sentence);
    if (share * words.size < 1.5 || share <= Math.abs(strongest)) continue;
    strongest = NEGATION.test(sentence) ? -share : share;
  }
  return strongest;
}

/** The number of words in a text, for its weight in the context. */
export function countWords(text: string): number {
  return text === '' ? 0 : text.split(/\s+/).length;
}

function stem(word: string): string {
  if (word.length <= 3 || /[=\d]/.test(word)) return word;
  return word.replace(/(ing|ies|es|ed|s|e)$/, '');
}
