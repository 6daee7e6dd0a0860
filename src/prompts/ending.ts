import type { Outcome } from '../evaluation/trial.ts';
import { oneLine } from './one-line.ts';

/** Characters of a reason. */
const REASON = 500;

/** How a trial ended, in a line: why it failed, or its metric and medal, and what it took. */
export function ending(outcome: Outcome): string {
  if (outcome.kind === 'lost') return 'It was cut off by a fault outside the agent.';
  const { turns, jobs } = outcome.usage;
  const spent = `It took ${count(turns, 'turn')} and ${count(jobs, 'job')}.`;
  if (outcome.kind === 'failed') return `It failed: ${oneLine(outcome.reason, REASON)}. ${spent}`;
  const side = outcome.aboveMedian ? 'above' : 'below';
  return `Its submission was valid: metric ${outcome.raw}, medal ${outcome.medal}, ${side} the median. ${spent}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
