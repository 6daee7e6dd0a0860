import { currentOf } from './program.ts';
import type { View } from './view.ts';

/** The note that closes an attempt: what was tried, what it gave, and how that compares with what is known. */
export function writeNote(view: View): string {
  const name = (text: string | null) => (text ?? 'nothing').replace(/ of [\d. ]+$/, '');
  const tried = `${name(currentOf(view, 'model.mjs'))} with ${name(currentOf(view, 'features.mjs'))}, ${name(currentOf(view, 'target.mjs'))}`;
  return noteOn(view, tried);
}

/** The note on an attempt that tried this. */
export function noteOn(view: View, tried: string): string {
  const score = view.scores.get(view.attempt);
  if (score === undefined) return `${tried}: failed, no score`;
  const result = `validation ${view.metric} ${score}`;
  const before = [...view.scores].filter(([attempt]) => attempt !== view.attempt);
  if (before.length === 0) return `${result} by ${tried}: the first`;
  const [attempt, best] = before.reduce((a, b) => (better(view, b[1], a[1]) ? b : a));
  if (better(view, score, best)) return `${result} by ${tried}: better than attempt ${attempt} so far`;
  return `${result} by ${tried}: no better than attempt ${attempt} had been (${best})`;
}

function better(view: View, a: number, b: number): boolean {
  return view.higher ? a > b : a < b;
}
