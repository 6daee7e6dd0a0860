import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { foldSuite, refuseNoRoles, withRoles } from '../../src/suite/folds.ts';
import type { Suite, Task } from '../../src/suite/suite.ts';
import { syntheticSuite } from '../fixtures/synthetic-world.ts';

/** A suite without roles; its tasks are `<family><number>`, as many of each family as given. */
function roleless(families: Record<string, number>): Suite {
  const names = Object.entries(families).flatMap(([family, n]) =>
    Array.from({ length: n }, (_, i) => ({ id: `${family}${i}`, family })),
  );
  const plain = syntheticSuite({ search: names.length, validation: 0, sealed: 0 });
  const prune: Task['prune'] = { metric: 'loss', direction: 'min' };
  const tasks = plain.tasks.map((task, i): Task => ({ ...task, ...names[i]!, prune }));
  return { ...plain, roleless: true, tasks };
}

const ids = (suite: Suite, role: Task['role']) =>
  suite.tasks.filter((task) => task.role === role).map(({ id }) => id);

describe('foldSuite', () => {
  it.each([
    [{ a: 24 }, 4],
    [{ a: 7, b: 5, c: 1, d: 1 }, 4],
    [{ a: 3, b: 3, c: 3, d: 1 }, 3],
    [{ a: 2 }, 2],
    [{ a: 5, b: 4 }, 9],
  ])('seals each task of %j in one of %i folds, sizes and shares of families within one', (families, k) => {
    const suite = roleless(families);
    const folds = foldSuite(suite, k, 1);
    expect(folds.map(({ name }) => name)).toEqual(Array.from({ length: k }, (_, i) => `fold-${i + 1}`));
    expect(folds.flatMap((fold) => ids(fold.suite, 'sealed')).sort()).toEqual(
      suite.tasks.map(({ id }) => id).sort(),
    );
    for (const family of ['', ...Object.keys(families)]) {
      const sizes = folds.map(
        (fold) => ids(fold.suite, 'sealed').filter((id) => id.startsWith(family)).length,
      );
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });

  it('takes a quarter of the others for validation where there are eight, from the largest families', () => {
    const shares = (n: number, k: number) =>
      foldSuite(roleless({ a: n }), k, 1).map(({ suite }) => [
        ids(suite, 'search').length,
        ids(suite, 'validation').length,
      ]);
    expect(shares(24, 4)).toEqual(Array(4).fill([14, 4]));
    expect(shares(12, 3)).toEqual(Array(3).fill([6, 2]));
    expect(shares(10, 3)).toEqual([
      [6, 0],
      [7, 0],
      [7, 0],
    ]);
    for (const { suite } of foldSuite(roleless({ a: 9, b: 1, c: 1, d: 1 }), 4, 5)) {
      for (const id of ids(suite, 'validation')) expect(id).toMatch(/^a/);
    }
  });

  it('calls a sealed task near where its own search sees the family, else far', () => {
    for (const { suite } of foldSuite(roleless({ a: 4, b: 1 }), 4, 2)) {
      for (const { role, family, distance } of suite.tasks) {
        expect(distance).toBe(role === 'sealed' ? (family === 'a' ? 'near' : 'far') : null);
      }
    }
  });

  it('lets jobs be compared on search tasks alone', () => {
    for (const { suite } of foldSuite(roleless({ a: 12 }), 3, 1)) {
      for (const { role, prune } of suite.tasks) expect(prune !== null).toBe(role === 'search');
    }
  });

  it('depends on the seed and not on the order of the tasks, and each fold is a suite of its own', () => {
    const suite = roleless({ a: 7, b: 5 });
    const sealed = (of: Suite, seed: number) =>
      foldSuite(of, 3, seed).map((fold) => ids(fold.suite, 'sealed'));
    const turned = { ...suite, tasks: [...suite.tasks].reverse() };
    expect(sealed(turned, 1).map((fold) => fold.sort())).toEqual(sealed(suite, 1));
    expect(sealed(suite, 2)).not.toEqual(sealed(suite, 1));
    const folds = foldSuite(suite, 3, 1);
    expect(new Set([suite.hash, ...folds.map((fold) => fold.suite.hash)]).size).toBe(4);
    expect(new Set(folds.map(({ seed }) => seed)).size).toBe(3);
    for (const fold of folds) expect(() => refuseNoRoles(fold.suite)).not.toThrow();
  });

  it('can be made again from the roles alone, whatever tasks the suite has besides', () => {
    const suite = roleless({ a: 9, b: 3 });
    const [fold] = foldSuite(suite, 3, 1);
    const roles = {
      search: ids(fold!.suite, 'search'),
      validation: ids(fold!.suite, 'validation'),
      sealed: ids(fold!.suite, 'sealed'),
    };
    expect(withRoles(suite, roles)).toEqual(fold!.suite);
    const more = { ...suite, tasks: [{ ...suite.tasks[0]!, id: 'unfit' }, ...suite.tasks] };
    expect(withRoles(more, roles)).toEqual(fold!.suite);
  });

  it('refuses more folds than tasks, and a suite with roles', () => {
    expect(() => foldSuite(roleless({ a: 3 }), 4, 1)).toThrow(/needs 4 tasks, and synthetic has 3/);
    const roles = syntheticSuite({ search: 3, validation: 1, sealed: 2 });
    expect(() => foldSuite(roles, 2, 1)).toThrow(/for a suite without roles/);
    expect(() => refuseNoRoles(roles)).not.toThrow();
    try {
      refuseNoRoles(roleless({ a: 3 }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).hint).toMatch(/"role".*--folds K/);
    }
  });
});
