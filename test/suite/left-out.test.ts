import { expect, it } from 'vitest';
import { leaveOut } from '../../src/suite/left-out.ts';
import type { Suite, Task } from '../../src/suite/suite.ts';

const task = (id: string, role: Task['role'], family: string, distance: Task['distance'] = null) =>
  ({ id, role, family, distance }) as Task;
const suite = {
  name: 's',
  hash: 'h',
  tasks: [task('a', 'search', 'x'), task('a.b', 'search', 'y'), task('n', 'sealed', 'y', 'near')],
} as Suite;

it('leaves out the tasks that an identity names, and keeps the lines', () => {
  const left = leaveOut(suite, ['a.b: why: because']);
  expect(left.tasks.map(({ id, distance }) => [id, distance])).toEqual([
    ['a', null],
    ['n', 'far'],
  ]);
  expect(left).toMatchObject({ hash: 'h', leftOut: ['a.b: why: because'] });
});

it('gives the suite itself where nothing is left out', () => {
  expect(leaveOut(suite, [])).toBe(suite);
  expect(leaveOut(suite)).toBe(suite);
});
