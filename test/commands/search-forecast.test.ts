import { describe, expect, test } from 'vitest';
import { finalistsForeseen, searchForecast } from '../../src/commands/search-forecast.ts';
import { type RunConfig, readConfig, type SearchSettings } from '../../src/config.ts';
import type { Event } from '../../src/event.ts';
import { planned, searched } from '../fixtures/searched.ts';
import { smallSearch } from '../fixtures/synthetic-world.ts';

/** The plain world. */
const ground = { founders: 3, tasks: 6 };
const told = async (search: Partial<SearchSettings>, generations: number): Promise<RunConfig> => ({
  ...(await readConfig({})),
  ...{ population: 10, generations, search: { ...smallSearch, ...search } },
});
const taken = (events: readonly Event[]) => planned(events, 'first').length + planned(events, 'rest').length;

describe('what a search is forecast to take', () => {
  test.each<[Partial<SearchSettings>]>([[{ strategy: 'chain' }], [{ strategy: 'random' }]])(
    'is what it takes: %j',
    async (search) => {
      const { events } = await searched(search, { generations: 6 });
      const { trials } = searchForecast(await told(search, 6), ground);
      expect(trials).toEqual({ expected: taken(events), most: taken(events) });
    },
  );

  test('of a population is about what it takes, and what it takes at most', async () => {
    const { events } = await searched({}, { generations: 12 });
    const { trials, first } = searchForecast(await told({}, 12), ground);
    expect(Math.abs(trials.expected / taken(events) - 1)).toBeLessThan(0.1);
    expect(taken(events)).toBeLessThan(trials.most);
    expect(first.least).toBeLessThan(first.expected);
    const unraced = await searched({ without: ['racing'] }, { generations: 12 });
    const all = searchForecast(await told({ without: ['racing'] }, 12), ground).trials;
    // Less by the generations in which the baseline is among the survivors.
    expect(taken(unraced.events)).toBeLessThanOrEqual(all.most);
    expect(taken(unraced.events)).toBeGreaterThan(0.95 * all.expected);
  });

  test.each<[Partial<SearchSettings>]>([[{}], [{ strategy: 'chain' }], [{ strategy: 'random' }]])(
    'within so many trials as many generations as there will be: %j',
    async (search) => {
      const { result } = await searched({ ...search, searchTrials: 600 }, { generations: 300 });
      const config = await told({ ...search, searchTrials: 600 }, 300);
      const { generations, trials } = searchForecast(config, ground);
      expect(Math.abs(generations - result.generations)).toBeLessThanOrEqual(1);
      const finals = (finalistsForeseen(config) + 1) * smallSearch.finalRepeats * ground.tasks;
      expect(trials.most + finals).toBeLessThanOrEqual(600);
    },
  );

  test('counts no model where none is asked', async () => {
    const of = async (search: Partial<SearchSettings>) => searchForecast(await told(search, 6), ground);
    expect(await of({ without: ['llm-edits'] })).toMatchObject({ edits: 0, cases: 3 });
    expect(await of({ without: ['memory'] })).toMatchObject({ edits: 2, cases: 0 });
    expect(await of({ strategy: 'chain', without: ['typed-steps'] })).toMatchObject({ edits: 1 });
  });
});
