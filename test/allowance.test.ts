import { describe, expect, test } from 'vitest';
import type { SearchSettings } from '../src/config.ts';
import type { Event } from '../src/event.ts';
import { expectCuts, planned, searched } from './fixtures/searched.ts';
import { smallSearch } from './fixtures/synthetic-world.ts';

/** Of the plain world: search tasks, and the finals with all their finalists. */
const TASKS = 6;
const FINALS = (smallSearch.finalists + 1) * smallSearch.finalRepeats * TASKS;

const arms: [string, Partial<SearchSettings>, number][] = [
  ['a population', {}, 9 * TASKS],
  ['a population without racing', { without: ['racing'] }, 11 * TASKS],
  ['a chain', { strategy: 'chain' }, 2 * TASKS],
  ['a random search', { strategy: 'random' }, 11 * TASKS],
];

describe.each(arms)('%s that is given so many trials', (_, settings, generation) => {
  test.each([300, 333, 500])(
    '%i: ends by itself within them, having used what it could',
    async (searchTrials) => {
      const { events, result, state } = await searched({ ...settings, searchTrials }, { generations: 200 });
      const used = requested(events);
      expect(used).toBeLessThanOrEqual(searchTrials);
      // Less than one more generation is left, and what finalists that were fewer than expected leave.
      expect(used).toBeGreaterThan(searchTrials - generation - 2 * smallSearch.finalRepeats * TASKS);
      expect(result).toMatchObject({ stop: 'finished', generations: state.generation + 1 });
      expect(result.generations).toBeLessThan(200);
      expect(result.verdict).not.toBe('not measured');
    },
  );

  test('is the same when it is cut at any event', () =>
    expectCuts({ ...settings, searchTrials: 280 }, 70, 200));
});

describe('the trials of a search', () => {
  test('as many generations as asked for, where they allow them', async () => {
    const free = await searched({}, { generations: 3 });
    const { events, result } = await searched({ searchTrials: 10_000 }, { generations: 3 });
    expect(result).toEqual(free.result);
    expect(events.slice(1)).toEqual(free.events.slice(1));
  });

  test('too few for one generation and the finals are refused before anything is journalled', async () => {
    const least = 3 * TASKS + 7 * smallSearch.firstTasks + 3 * (TASKS - smallSearch.firstTasks) + FINALS;
    const journal: Event[] = [];
    const record = (event: Event) => void journal.push(event);
    const run = (searchTrials: number) => searched({ searchTrials }, { generations: 2, parts: { record } });
    await expect(run(least - 1)).rejects.toThrow(`take up to ${least}`);
    expect(journal).toEqual([]);
    const { result } = await searched({ searchTrials: least }, { generations: 2 });
    expect(result).toMatchObject({ stop: 'finished', generations: 1 });
  });

  test('that are used up are used up: more generations add nothing', async () => {
    const whole = await searched({ searchTrials: 300 }, { generations: 50 });
    const more = await searched({ searchTrials: 300 }, { generations: 80, before: whole.events });
    expect(more.events).toEqual(whole.events);
    expect(more.result).toEqual(whole.result);
  });

  test('are counted with the finals that a run had before it was extended', async () => {
    const short = await searched({ searchTrials: 400 }, { generations: 2 });
    const more = await searched({ searchTrials: 400 }, { generations: 50, before: short.events });
    expect(more.result.generations).toBeGreaterThan(2);
    expect(planned(more.events, 'finals').length).toBeGreaterThan(planned(short.events, 'finals').length);
    expect(requested(more.events)).toBeLessThanOrEqual(400);
  });

  test('an interruption in the middle of a generation is not taken for one that has no room', async () => {
    const settings = { searchTrials: 280 };
    const whole = await searched(settings, { generations: 50 });
    const last = whole.events.findLastIndex((event) => event.type === 'planned' && event.stage === 'rest');
    const before = whole.events.slice(0, last + 3);
    const resumed = await searched(settings, { generations: 50, before });
    expect(resumed.result).toEqual(whole.result);
  });
});

/** Distinct trials of the search and its finals that were asked for. */
function requested(events: readonly Event[]): number {
  return new Set(['first', 'rest', 'finals'].flatMap((stage) => planned(events, stage))).size;
}
