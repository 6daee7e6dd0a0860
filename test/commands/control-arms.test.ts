import { expect, it } from 'vitest';
import { armConfig, forecastArms, refuseControl } from '../../src/commands/control-arms.ts';
import { type Control, type RunConfig, readConfig, type SearchSettings } from '../../src/config.ts';
import { leastAllowance } from '../../src/selection/allowance.ts';
import type { Role, Suite, Task } from '../../src/suite/suite.ts';

const ground = { founders: 3, tasks: 6 };
const suite = (counts: Partial<Record<Role, number>>) => {
  const tasks = Object.entries(counts).flatMap(([role, count]) =>
    Array.from({ length: count }, (_, i) => ({ id: `${role}-${i}`, role }) as Task),
  );
  return { name: 's', tasks } as Suite;
};
const told = async (control: Control[], search: Partial<SearchSettings> = {}): Promise<RunConfig> => {
  const config = await readConfig({});
  return { ...config, control, search: { ...config.search, ...search } };
};

it('refuses arms that have nothing to be compared by, or are the search itself', async () => {
  const sealed = suite({ search: 2, sealed: 1 });
  refuseControl(await told(['chain', 'resample', 'random']), sealed);
  refuseControl(await told([]), suite({ search: 2 }));
  const chain = await told(['resample', 'chain'], { strategy: 'chain' });
  const bare = await told(['resample']);
  expect(() => refuseControl(bare, suite({ search: 2 }))).toThrow(
    'on sealed tasks, and the suite s has none',
  );
  expect(() => refuseControl(chain, sealed)).toThrow('--control chain would compare');
});

it('gives an arm the trials of the search, every part, and no claims', async () => {
  const config = await told(['chain'], { strategy: 'random', without: ['memory'] });
  const { control, search, generations } = armConfig(config, 'chain', 1200, ground);
  expect(search).toMatchObject({ strategy: 'chain', claims: 0, searchTrials: 1200 });
  expect(search.without).toBeUndefined();
  expect({ control, generations }).toEqual({ control: [], generations: 200 });
});

it('lets an arm begin, however short the search was', async () => {
  const config = await told(['chain']);
  const { search } = armConfig(config, 'chain', 20, ground);
  expect(search.searchTrials).toBe(leastAllowance({ population: config.population, search }, ground));
  expect(search.searchTrials).toBeGreaterThan(20);
  expect(armConfig(config, 'resample', 20, ground).search.searchTrials).toBe(20);
});

it('counts sealed trials: of both where an arm searches, of the baseline where it does not', async () => {
  const config = await told(['resample', 'chain'], { sealedRepeats: 5 });
  const arms = forecastArms(config, suite({ search: 6, sealed: 7 }), 1200, ground);
  expect(arms.map(({ arm, trials }) => [arm, trials])).toEqual([
    ['resample', 1200 + 35],
    ['chain', 1200 + 70],
  ]);
});
