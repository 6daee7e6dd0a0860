import { rngAt } from '../rng.ts';
import type { Shown } from './evidence.ts';

/** What one slot's mutator reads whole, in this order, and where it is told to look first. */
export type Focus = { failures: Shown[]; text: string };

/** How many trials that went badly are read whole. */
const FAILURES = 3;

/** What a mutator may look at first; each fits with traces and without. */
const ANGLES = [
  'the first error of a trial, and what would have kept it from happening',
  'what the agent does after an error came back',
  'the method that is chosen first, and the methods that are never tried',
  'turns and jobs that bring nothing',
  'the way from a first valid submission to a better one',
  'the end of a trial: what is checked, what is submitted, what is left unused',
  'what gets lost from one attempt to the next',
  'the rules: which is not heeded, misleads, comes too often or too late',
  'the skills: which is missing, never read, read in vain, or does not say enough to write the code from it',
  'what is neither rule nor skill: notes, loop guard, tools, limits',
  'how far the agent looks at data and results before it decides',
] as const;

/**
 * The focus of a slot. Siblings that were told the same would have the same idea, and a model without `seed` the same
 * twice for twice the money. So which of the `worst` trials are read is drawn for each slot; slots next to each other
 * never share an angle; and the number tells apart those that still might.
 */
export function focusOf(seed: number, generation: number, slot: number, worst: readonly Shown[]): Focus {
  const failures = rngAt(seed, 'focus', generation, slot).shuffle(worst).slice(0, FAILURES);
  const turned = rngAt(seed, 'focus', generation).int(ANGLES.length);
  const angle = ANGLES[(turned + slot) % ANGLES.length]!;
  const first = failures[0];
  const place = first ? `the trial on ${first.task}, and there at ${angle}` : angle;
  const text = `Others work on this harness at the same time, and on the rest; you are number ${slot}. Look first at ${place}. Go elsewhere only where that gives nothing.`;
  return { failures, text };
}
