import { isInside } from '../jobs/result.ts';
import { mayBePassed } from '../jobs/sandbox/variables.ts';
import { hasSecretName } from '../secrets.ts';
import { didYouMean } from '../suggest.ts';
import { readSealedAudit, type SealedAudit } from './audit-file.ts';
import { METRICS } from './metrics.ts';
import type { MetricName, Role, Runtime, Task, TaskLimits } from './suite.ts';

/** What `suite.json` holds. */
export type SuiteFile = {
  name: string;
  version: string;
  setup: string | null;
  audit: SealedAudit | undefined;
  /** Roles stand at all tasks or at none. */
  tasks: { id: string; role?: Role }[];
};

/** What `task.json` holds; other members (a title, credits) are for people. */
export type TaskFile = Pick<
  Task,
  | 'family'
  | 'distance'
  | 'metric'
  | 'direction'
  | 'idColumn'
  | 'targetColumns'
  | 'limits'
  | 'runtime'
  | 'modules'
  | 'train'
  | 'env'
  | 'network'
  | 'prune'
  | 'editable'
>;

const ROLES: Role[] = ['search', 'validation', 'sealed'];

/** Checks a parsed `suite.json`; throws an `Error` that says which member is wrong. */
export function readSuiteFile(value: unknown): SuiteFile {
  const suite = record(value, 'suite.json');
  if (!Array.isArray(suite.tasks) || suite.tasks.length === 0)
    throw new Error('"tasks" must list at least one task');
  const seen = new Set<string>();
  const entries = suite.tasks.map((item, i) => record(item, `tasks[${i}]`));
  const hasRoles = entries.some(({ role }) => role !== undefined);
  const tasks = entries.map((entry, i) => {
    const at = `tasks[${i}]`;
    const id = text(entry, 'id', at);
    if (!/^[a-z0-9][a-z0-9._-]{0,79}$/.test(id)) {
      throw new Error(`${at}: id "${id}" is not made of a-z, 0-9, ".", "_" and "-"`);
    }
    if (seen.has(id)) throw new Error(`${at}: id "${id}" stands twice`);
    seen.add(id);
    return hasRoles ? { id, role: oneOf(entry, 'role', ROLES, at) } : { id };
  });
  return {
    name: text(suite, 'name'),
    version: String(suite.version ?? '0'),
    setup: suite.setup === undefined ? null : text(suite, 'setup'),
    audit: readSealedAudit(suite.audit),
    tasks,
  };
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
  const runtime = task.runtime === undefined ? 'node' : oneOf(task, 'runtime', ['node', 'python'] as const);
  return {
    family: text(task, 'family'),
    distance: distanceOf(task),
    metric: oneOf(task, 'metric', Object.keys(METRICS) as MetricName[]),
    direction: oneOf(task, 'direction', ['max', 'min'] as const),
    idColumn,
    targetColumns,
    limits: limitsOf(task),
    runtime,
    modules: modulesOf(task, runtime),
    train: task.train === undefined ? PROGRAMS[runtime] : texts(task, 'train'),
    env: task.env === undefined ? [] : allowed(texts(task, 'env', true)),
    network: flag(task, 'network'),
    prune: pruneOf(task),
    editable: task.editable === undefined ? null : inside(texts(task, 'editable', true)),
  };
}

const PROGRAMS: Record<Runtime, string[]> = { node: ['node', 'main.mjs'], python: ['python', 'main.py'] };

const LIMITS = 'turns jobs jobSeconds clock memoryMb diskMb processes gpus cpus'.split(' ');
/** Fewer do not do for Node and the sandbox around it: every job would fail. */
const FEWEST_PROCESSES = 32;

function limitsOf(task: Record<string, unknown>): TaskLimits {
  const limits = record(task.limits, '"limits"');
  // One that is misspelt would be no limit, or no GPU.
  const unknown = Object.keys(limits).find((key) => !LIMITS.includes(key));
  if (unknown !== undefined)
    throw new Error(
      `"limits.${unknown}" is unknown${didYouMean(unknown, LIMITS)}; known are ${LIMITS.join(', ')}`,
    );
  const optional = (key: 'cpus' | 'diskMb' | 'processes', least?: number) =>
    limits[key] === undefined ? {} : { [key]: count(limits, key, least) };
  const gpus = limits.gpus ?? 0;
  if (typeof gpus !== 'number' || !(gpus >= 0) || (gpus > 1 && !Number.isInteger(gpus))) {
    throw new Error('"limits.gpus" must be a whole number, or a share between 0 and 1');
  }
  const clock = limits.clock === undefined ? null : oneOf(limits, 'clock', ['cpu', 'wall'] as const);
  if (gpus > 0 && clock === 'cpu') throw new Error('"limits.clock" must be "wall" where there are GPUs');
  return {
    turns: count(limits, 'turns'),
    jobs: count(limits, 'jobs'),
    jobSeconds: count(limits, 'jobSeconds'),
    memoryMb: count(limits, 'memoryMb'),
    clock: clock ?? (gpus > 0 ? 'wall' : 'cpu'),
    gpus,
    ...optional('cpus'),
    ...optional('diskMb'),
    ...optional('processes', FEWEST_PROCESSES),
  };
}

function pruneOf(task: Record<string, unknown>): Task['prune'] {
  if (task.prune === undefined || task.prune === null) return null;
  const prune = record(task.prune, '"prune"');
  return {
    metric: text(prune, 'metric', '"prune"'),
    direction: oneOf(prune, 'direction', ['max', 'min'] as const, '"prune"'),
  };
}

function modulesOf(task: Record<string, unknown>, runtime: Runtime): string[] {
  if (task.modules === undefined) return [];
  if (runtime !== 'python') throw new Error('"modules" are for the runtime "python"');
  const modules = texts(task, 'modules', true);
  const odd = modules.find((name) => !/^[A-Za-z_][A-Za-z0-9_.]*$/.test(name));
  if (odd !== undefined) throw new Error(`"modules": "${odd}" is no name of a module`);
  return modules;
}

/** A task can ask for variables, but never for those whose values are secrets, nor for those that steer a loader. */
function allowed(names: string[]): string[] {
  const odd = names.find((name) => !mayBePassed(name) || hasSecretName(name));
  if (odd !== undefined) throw new Error(`"env": ${odd} is no variable that jobs may see`);
  return names;
}

/** Files in the agent's folder. */
function inside(paths: string[]): string[] {
  const odd = paths.find((path) => !isInside(path));
  if (odd !== undefined) throw new Error(`"editable": ${odd} is no path within the agent's folder`);
  return paths;
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

function texts(value: Record<string, unknown>, key: string, mayBeEmpty = false): string[] {
  const found = value[key];
  if (!Array.isArray(found) || (found.length === 0 && !mayBeEmpty) || !found.every(isName)) {
    throw new Error(`"${key}" must be a list of texts that are not empty`);
  }
  return found;
}

function flag(value: Record<string, unknown>, key: string): boolean {
  const found = value[key] ?? false;
  if (typeof found !== 'boolean') throw new Error(`"${key}" must be true or false`);
  return found;
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

function count(limits: Record<string, unknown>, key: string, least = 1): number {
  const value = limits[key];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least) {
    throw new Error(`"limits.${key}" must be a whole number of at least ${least}`);
  }
  return value;
}
