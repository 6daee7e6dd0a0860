import type { Suite, Task } from './suite.ts';

/**
 * The suite without unfit tasks, each named by a line `<id>: <why>` as a run's identity has it; the suite itself where
 * there is none. A sealed task is far from the search once no task of its family is left there.
 */
export function leaveOut(suite: Suite, lines: readonly string[] = []): Suite {
  if (lines.length === 0) return suite;
  const unfit = new Set(lines.map((line) => line.slice(0, line.indexOf(':'))));
  const tasks = suite.tasks.filter(({ id }) => !unfit.has(id));
  return { ...suite, tasks: seenAnew(suite.tasks, tasks), leftOut: [...lines] };
}

function seenAnew(before: readonly Task[], after: readonly Task[]): Task[] {
  const searched = (tasks: readonly Task[]) =>
    new Set(tasks.filter(({ role }) => role === 'search').map(({ family }) => family));
  const [was, is] = [searched(before), searched(after)];
  return after.map((task) =>
    task.distance === 'near' && was.has(task.family) && !is.has(task.family)
      ? { ...task, distance: 'far' }
      : task,
  );
}
