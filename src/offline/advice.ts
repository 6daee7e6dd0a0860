import { adviceWeight, TRUST } from './knowledge.ts';
import { remembering } from './remembering.ts';
import type { View } from './view.ts';
import { advice, countWords, coverage, wordsOf } from './words.ts';

/** How strongly all advice in view pulls towards what an action says and is about. */
export function advisor(view: View): (says: string, about: string) => number {
  const sources: { text: string; trust: number }[] = [
    ...view.rules.map((text) => ({ text, trust: TRUST.rule })),
    ...view.reminders.map(({ text, age }) => ({ text, trust: TRUST.reminder(age) })),
    { text: view.phase, trust: TRUST.phase },
  ];
  const failures = view.notes.filter((note) => /\b(worse|no better|failed|crashed|error)\b/.test(note));
  const words = [
    ...view.rules,
    ...view.notes,
    ...view.skills.values(),
    ...view.reminders.map((item) => item.text),
  ];
  const weight = adviceWeight(words.reduce((sum, text) => sum + countWords(text), 0));
  // Many actions say the same, and many are about the same.
  const pullsOn = remembering(1000, (text: string) => {
    const words = wordsOf(text);
    return sources.map((source) => advice(words, source.text));
  });
  return (says, about) => {
    const bySaying = pullsOn(says);
    const bySubject = about === '' ? null : pullsOn(about);
    let sum = 0;
    for (const [i, { trust }] of sources.entries()) {
      const said = bySaying[i]!;
      const subject = bySubject === null ? 0 : bySubject[i]!;
      sum += trust * (Math.abs(said) >= Math.abs(subject) ? said : subject);
    }
    if (about !== '')
      for (const note of failures) sum -= TRUST.note * (coverage(wordsOf(about), note) === 1 ? 0.6 : 0);
    return weight * Math.max(-1.2, Math.min(1.2, sum));
  };
}

/** How often in a row the latest replies said this. */
export function timesInARow(said: readonly string[], says: string): number {
  return said.length - 1 - said.findLastIndex((text) => !text.startsWith(says));
}
