import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Event } from '../../src/event.ts';

/** The events of a run, in order. */
export function eventsOf(run: string): Event[] {
  const lines = readFileSync(path.join(run, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Event);
}

/**
 * What two equal runs share: the journal's lines without `seq`, `crc` and times, sorted within each generation, as
 * outcomes are journalled in the order in which they come.
 */
export function decisionsOf(run: string): string[] {
  const lines = eventsOf(run).map((event) => {
    const generation =
      'generation' in event ? event.generation : event.type === 'bred' ? event.candidate.generation : -1;
    return { generation, text: JSON.stringify(withoutTimes(event)) };
  });
  const rank = (line: { generation: number; text: string }) =>
    `${String(line.generation + 1).padStart(5, '0')} ${line.text}`;
  return lines.map(rank).sort();
}

/**
 * What a run that was killed shares with one that was not: candidates, trials with their outcomes, lessons, barriers,
 * champion and result. Plans of trials stand there again after a kill; stops and pauses are of one call.
 */
export function resultsOf(run: string): string[] {
  const ofOneCall = /"type":"(planned|stopped|paused|unpaused)"/;
  return [...new Set(decisionsOf(run).filter((line) => !ofOneCall.test(line)))];
}

/** The first lines that two lists of lines do not share: short to read where all of a journal is not. */
export function differences(one: readonly string[], other: readonly string[]): string[] {
  const [left, right] = [new Set(one), new Set(other)];
  const only = [
    ...one.filter((line) => !right.has(line)).map((line) => `- ${line}`),
    ...other.filter((line) => !left.has(line)).map((line) => `+ ${line}`),
  ];
  if (only.length === 0 && one.length !== other.length)
    only.push(`${one.length} lines against ${other.length}`);
  return only.slice(0, 4);
}

/** Ids of trials with an outcome other than lost, one for each time it was journalled. */
export function triedIn(run: string): string[] {
  return eventsOf(run).flatMap((event) =>
    event.type === 'tried' && event.outcome.kind !== 'lost' ? [event.trial.id] : [],
  );
}

function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(
    ([key]) => key !== 'at' && key !== 'seq' && key !== 'crc' && !key.endsWith('Ms'),
  );
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutTimes(item)]));
}
