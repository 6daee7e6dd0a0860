import type { TrialSpec } from '../evaluation/trial.ts';
import type { RunIdentity } from '../event.ts';
import type { State } from '../state.ts';
import type { Role, Task } from '../suite/suite.ts';
import { block, pairs } from './measure.ts';

type Known = { identity: RunIdentity; state: State };

/** A candidate and the baseline on one task, over the repeats that both have a score for. */
export type TaskMeans = { task: Task; baseline: number; champion: number; gain: number };

/** Trials of these genomes on these tasks at the repeats `first` … `first + count − 1`. */
export function repeatedTrials(
  known: Known,
  genomes: readonly string[],
  tasks: readonly Task[],
  count: number,
  first = 0,
): TrialSpec[] {
  const repeats = Array.from({ length: count }, (_, i) => first + i);
  return repeats.flatMap((repeat) => [...new Set(genomes)].flatMap((id) => block(known, id, tasks, repeat)));
}

/** Task means over those repeats, in task order; a task without a single pair is left out. */
export function taskMeans(
  known: Known,
  candidate: string,
  tasks: readonly Task[],
  count: number,
  first = 0,
): TaskMeans[] {
  const repeats = Array.from({ length: count }, (_, i) => first + i);
  return tasks.flatMap((task) => {
    const found = repeats.flatMap((repeat) => pairs(known, candidate, [task], repeat));
    if (found.length === 0) return [];
    const champion = mean(found.map((pair) => pair.score));
    const gain = mean(found.map((pair) => pair.difference));
    return [{ task, champion, gain, baseline: champion - gain }];
  });
}

/** The tasks of a role, in the suite's order. */
export function tasksOf({ suite }: { suite: { tasks: readonly Task[] } }, role: Role): Task[] {
  return suite.tasks.filter((task) => task.role === role);
}

/** Mean over the values, null for none. */
export function meanOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}

/** Mean over the values, at least one. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
