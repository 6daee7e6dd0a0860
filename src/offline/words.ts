import { remembering } from './remembering.ts';

/** Words that carry no topic. */
const EMPTY = new Set(
  'a an and are as at be been but by can do does for from has have how if in into is it its may more most must no not of on one only or other out over same should so some such than that the their them then there these they this those to too up use used very was what when where which while who will with you your'.split(
    ' ',
  ),
);
const NEGATION = /\b(never|not|don't|avoid|stop|no longer|instead of|rather than)\b/i;

/** The topical words of a text, lower case, plainly stemmed. Settings such as `trees=20` stay whole. */
export const wordsOf: (text: string) => ReadonlySet<string> = remembering(2500, (text: string) => {
  const words = new Set<string>();
  for (const [raw] of text.toLowerCase().matchAll(/[\p{L}\p{N}][\p{L}\p{N}=.'-]*/gu)) {
    const word = raw.replace(/[.'-]+$/, '');
    if (!EMPTY.has(word)) words.add(stem(word));
  }
  return words;
});

/** The share of `words` that `text` mentions, in [0, 1]. */
export function coverage(words: ReadonlySet<string>, text: string): number {
  return shareOf(words, wordsOf(text));
}

/**
 * How strongly an advice speaks for (+) or against (−) what `words` describe, in [−1, 1]: the coverage by the whole
 * text, or, where the text holds a negation, the largest coverage by one of its sentences, negative if the negation
 * stands in that sentence. One shared word alone says nothing.
 */
export function advice(words: ReadonlySet<string>, text: string): number {
  let strongest = 0;
  for (const { said, sign } of statements(text)) {
    const share = shareOf(words, said);
    if (share * words.size < 1.5 || share <= Math.abs(strongest)) continue;
    strongest = sign * share;
  }
  return strongest;
}

/** What an advice says: the whole of it, or, where it holds a negation, each sentence for itself. */
const statements = remembering(1000, (text: string): { said: ReadonlySet<string>; sign: 1 | -1 }[] => {
  if (!NEGATION.test(text)) return [{ said: wordsOf(text), sign: 1 }];
  const sentences = text.split(/[.;:!?]\s|\n/);
  return sentences.map((sentence) => ({ said: wordsOf(sentence), sign: NEGATION.test(sentence) ? -1 : 1 }));
});

/** The number of words in a text, for its weight in the context. */
export const countWords: (text: string) => number = remembering(1000, (text: string) =>
  text === '' ? 0 : text.split(/\s+/).length,
);

function shareOf(words: ReadonlySet<string>, found: ReadonlySet<string>): number {
  if (words.size === 0) return 0;
  let shared = 0;
  for (const word of words) if (found.has(word)) shared++;
  return shared / words.size;
}

function stem(word: string): string {
  if (word.length <= 3 || /[=\d]/.test(word)) return word;
  return word.replace(/(ing|ies|es|ed|s|e)$/, '');
}
