import { didYouMean } from '../suggest.ts';
import { METRICS } from './metrics.ts';
import type { MetricName, Role, Task } from './suite.ts';

/** What `suite.json` holds. */
export type SuiteFile = {
  name: string;
  version: string;
  tasks: { id: string; role: Role }[];
};

/** What `task.json` holds; other members (a title, credits, the runtime) are for people. */
export type TaskFile = Pick<
  Task,
  'family' | 'distance' | 'metric' | 'direction' | 'idColumn' | 'targetColumns' | 'limits'
>;

const ROLES: Role[] = ['search', 'validation', 'sealed'];

/** Checks a parsed `suite.json`; throws an `Error` that says which member is wrong. */
export function readSuiteFile(value: unknown): SuiteFile {
  const suite = record(value, 'suite.json');
  if (!Array.isArray(suite.tasks) || suite.tasks.length === 0)
    throw new Error('"tasks" must list at least one task');
  const seen = new Set<string>();
  const tasks = suite.tasks.map((item, i) => {
    const at = `tasks[${i}]`;
    const entry = record(item, at);
    const id = text(entry, 'id', at);
    if (!/^[a-z0-9][a-z0-9._-]{0,79}$/.test(id)) {
      throw new Error(`${at}: id "${id}" is not made of a-z, 0-9, ".", "_" and "-"`);
    }
    if (seen.has(id)) throw new Error(`${at}: id "${id}" stands twice`);
    seen.add(id);
    const role = oneOf(entry, 'role', ROLES, at);
    return { id, role };
  });
  return { name: text(suite, 'name'), version: String(suite.version ?? '0'), tasks };
}

/** Checks a parsed `task.json`; throws an `Error` that says which member is wrong. */
export function readTaskFile(value: unknown): TaskFile {
  const task = record(value, 'task.json');
  const idColumn = text(task, 'idColumn');
  const { targetColumns } = task;
  if (!Array.isArray(targetColumns) || targetColumns.length === 0 || !targetColumns.every(isName)) {
    throw new Error('"targetColumns" must list at least one column name');
  }
  if (new Set([idColumn, ...targetColumns]).size !== targetColumns.length + 1) {
    throw new Error('id and target columns must differ from each other');
  }
  const limits = record(task.limits, '"limits"');
  return {
    family: text(task, 'family'),
    distance: distanceOf(task),
    metric: oneOf(task, 'metric', Object.keys(METRICS) as MetricName[]),
    direction: oneOf(task, 'direction', ['max', 'min'] as const),
    idColumn,
    targetColumns,
    limits: {
      turns: count(limits, 'turns'),
      jobs: count(limits, 'jobs'),
      jobSeconds: count(limits, 'jobSeconds'),
      memoryMb: count(limits, 'memoryMb'),
    },
  };
}

/** Null where it is left to be found out from the families of the search tasks. */
function distanceOf(task: Record<string, unknown>): Task['distance'] {
  return task.distance == null ? null : oneOf(task, 'distance', ['near', 'far'] as const);
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new Error(`${name} must be an object`);
  }
  return value as Record<string, unknown>;
}

function text(value: Record<string, unknown>, key: string, at = ''): string {
  if (!isName(value[key]))
    throw new Error(`${at === '' ? '' : `${at}: `}"${key}" must be a text that is not empty`);
  return value[key];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function oneOf<T extends string>(
  value: Record<string, unknown>,
  key: string,
  options: readonly T[],
  at = '',
): T {
  const found = options.find((option) => option === value[key]);
  if (found !== undefined) return found;
  const word = String(value[key] ?? '');
  const what =
    value[key] === undefined ? `no "${key}"` : `unknown ${key} "${word}"${didYouMean(word, options)}`;
  throw new Error(`${at === '' ? '' : `${at}: `}${what}; it is one of ${options.join(', ')}`);
}

function count(limits: Record<string, unknown>, key: string): number {
  const value = limits[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new Error(`"limits.${key}" must be a whole number of at least 1`);
  }
  return value;
}
