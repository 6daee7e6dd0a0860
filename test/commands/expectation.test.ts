import { describe, expect, test } from 'vitest';
import { expectationOf, expectationRows, noCredit } from '../../src/commands/expectation.ts';
import { type RunConfig, readConfig, type SearchSettings } from '../../src/config.ts';
import { plainWorld, runWorld, smallSearch, syntheticSuite } from '../fixtures/synthetic-world.ts';

const told = async (search: Partial<SearchSettings>): Promise<RunConfig> => ({
  ...(await readConfig({})),
  search: { ...smallSearch, ...search },
});
const { suite } = plainWorld();

describe('what credit is foretold', () => {
  test.each([
    { claims: 5, claimShare: 0.25 },
    { claims: 5, claimShare: 0.7 },
    { claims: 1, claimShare: 0.5 },
  ])("has the passes that the champion's claim then gets: %j", async (settings) => {
    const search = { ...smallSearch, ...settings };
    const { state } = await runWorld(plainWorld({ search }), { generations: 8 });
    const others = [...state.trials.values()].filter(({ role }) => role !== 'validation').length;
    const { credit } = expectationOf(await told(settings), suite, others);
    expect(credit.passes).toBe(state.claims.get(1)!.claim.passes);
  });

  test('names the trials that would do for ten points, with what other claims get of them', async () => {
    const config = await told({ claimShare: 0.5 });
    const forTen = expectationOf(config, suite, 100).credit.forTen!;
    expect(expectationOf(config, suite, forTen).credit.least).toBeLessThanOrEqual(0.1);
    expect(expectationOf(config, suite, 0.9 * forTen).credit.least ?? 1).toBeGreaterThan(0.1);
  });

  test('is none without validation tasks, claims or trials, and each is said in its own words', async () => {
    const words = (config: RunConfig, on = suite) =>
      expectationRows(expectationOf(config, on, 100), 0.25)[1]![1];
    const none = syntheticSuite({ search: 6, validation: 0, sealed: 8 });
    expect(words(await told({}), none)).toBe('none possible: no validation tasks');
    expect(words(await told({ claims: 0 }))).toBe('none: no claims are asked for');
    expect(words(await told({ claimShare: 0.1 }))).toMatch(
      /^none possible: 11 trials are too few; \+10 points/,
    );
    expect(expectationOf(await told({ claims: 0 }), suite, 100).credit).toMatchObject({
      trials: 0,
      passes: 0,
    });
  });

  test('is said before a run where its budget is too small, with what it takes', async () => {
    const said = (config: RunConfig, others: number, on = suite) =>
      noCredit(expectationOf(config, on, others));
    const config = await told({ claimShare: 0.5 });
    const [line] = said(config, 20);
    expect(line).toMatch(/about 20 trials for claims on \d validation tasks.* 10 points takes about \d+;/);
    expect(said(config, Number(/takes about (\d+)/.exec(line!)![1]))).toEqual([]);
    expect(said(await told({ claims: 0 }), 20)).toEqual([]);
    expect(said(config, 20, syntheticSuite({ search: 6, validation: 0, sealed: 8 }))).toEqual([]);
  });
});
