import { expect, it } from 'vitest';
import { cannotClaim } from '../../src/commands/claimable.ts';
import type { Role, Task } from '../../src/suite/suite.ts';

const suite = (counts: Record<Role, number>) => ({
  tasks: Object.entries(counts).flatMap(([role, count]) =>
    Array.from({ length: count }, (_, i) => ({ id: `${role}-${i}`, role }) as Task),
  ),
});

it('says nothing of a suite that has enough of each', () => {
  expect(cannotClaim(suite({ search: 2, validation: 1, sealed: 7 }))).toEqual([]);
});

it.each([
  [{ search: 8, validation: 4, sealed: 0 }, /no sealed tasks.*no verdict/],
  [
    { search: 8, validation: 4, sealed: 6 },
    /only 6 sealed tasks.* p = 0\.031.* 0\.025 is needed \(7 tasks\)/,
  ],
  [{ search: 8, validation: 4, sealed: 1 }, /only 1 sealed task,/],
  [{ search: 8, validation: 0, sealed: 7 }, /no validation tasks.*credited/],
  [{ search: 1, validation: 4, sealed: 7 }, /one search task.*luck/],
])('says what cannot be claimed with %o', (counts, line) => {
  expect(cannotClaim(suite(counts))).toEqual([expect.stringMatching(line)]);
});

it('says all of it at once', () => {
  expect(cannotClaim(suite({ search: 1, validation: 0, sealed: 0 }))).toHaveLength(3);
});

it('says nothing of a suite without roles, whose folds have them', () => {
  expect(cannotClaim({ ...suite({ search: 9, validation: 0, sealed: 0 }), roleless: true })).toEqual([]);
});
