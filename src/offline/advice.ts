import { adviceWeight, TRUST } from './knowledge.ts';
import type { View } from './view.ts';
import { advice, countWords, coverage, wordsOf } from './words.ts';

/** How strongly all advice in view pulls towards what an action says and is about. */
export function advisor(view: View): (says: string, about: string) => number {
  const sources: { text: string; trust: number; onlyAgainst: boolean }[] = [
    ...view.rules.map((text) => ({ text, trust: TRUST.rule, onlyAgainst: false })),
    ...view.reminders.map(({ text, age }) => ({ text, trust: TRUST.reminder(age), onlyAgainst: false })),
    { text: view.phase, trust: TRUST.phase, onlyAgainst: false },
  ];
  const failures = view.notes.filter((note) => /\b(worse|no better|failed|crashed|error)\b/.test(note));
  const words = [
    ...view.rules,
    ...view.notes,
    ...view.skills.values(),
    ...view.reminders.map((item) => item.text),
  ];
  const weight = adviceWeight(words.reduce((sum, text) => sum + countWords(text), 0));
  return (says, about) => {
    const saysWords = wordsOf(says);
    const aboutWords = wordsOf(about);
    let sum = 0;
    for (const { text, trust } of sources) {
      const bySaying = advice(saysWords, text);
      const bySubject = about === '' ? 0 : advice(aboutWords, text);
      sum += trust * (Math.abs(bySaying) >= Math.abs(bySubject) ? bySaying : bySubject);
    }
    if (about !== '')
      for (const note of failures) sum -= TRUST.note * (coverage(aboutWords, note) === 1 ? 0.6 : 0);
    return weight * Math.max(-1.2, Math.min(1.2, sum));
  };
}

/** How often in a row the latest replies said this. */
export function timesInARow(said: readonly string[], says: string): number {
  return said.length - 1 - said.findLastIndex((text) => !text.startsWith(says));
}
