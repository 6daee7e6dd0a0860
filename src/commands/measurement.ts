import { type Outcome, scoreOf, type TrialSpec } from '../evaluation/trial.ts';
import { count, counted, money, score, span, table } from '../report/format.ts';
import type { Medal, Role, Task } from '../suite/suite.ts';

/** One genome on one task. `mean` is over the repeats that gave an outcome, in [0, 1]; null where none did. */
export type TaskMeasurement = {
  id: string;
  role: Role;
  family: string;
  mean: number | null;
  /** By repeat; null where the trial was lost. */
  scores: (number | null)[];
  medals: Record<Exclude<Medal, 'none'>, number>;
  /** Trials with a valid submission. */
  valid: number;
  lost: number;
  /** Why trials failed or were lost, each reason once. */
  reasons: string[];
};

/** What `evolve trial` found. `roles` has the mean over task means, null where a task of it has none. */
export type Measurement = {
  genome: { dir: string; id: string };
  suite: { dir: string; name: string; hash: string };
  model: string;
  seed: number;
  repeats: number;
  tasks: TaskMeasurement[];
  roles: Partial<Record<Role, number | null>>;
  trials: { run: number; lost: number };
  jobs: { run: number; hits: number };
  cost: { usd: number; tokensIn: number; tokensOut: number; gpuMs: number };
  wallMs: number;
  /** Where the trials' folders are; null where they were not kept. */
  trialsDir: string | null;
};

/** The measurement of a task from its trials, in the order of their repeats. */
export function measureTask(task: Task, outcomes: readonly Outcome[]): TaskMeasurement {
  const scores = outcomes.map(scoreOf);
  const medal = (kind: Medal) =>
    outcomes.filter((outcome) => outcome.kind === 'scored' && outcome.medal === kind).length;
  const reasons = outcomes.flatMap((outcome) => (outcome.kind === 'scored' ? [] : [outcome.reason]));
  return {
    id: task.id,
    role: task.role,
    family: task.family,
    mean: meanOf(scores.filter((value) => value !== null)),
    scores,
    medals: { gold: medal('gold'), silver: medal('silver'), bronze: medal('bronze') },
    valid: outcomes.filter(({ kind }) => kind === 'scored').length,
    lost: outcomes.filter(({ kind }) => kind === 'lost').length,
    reasons: [...new Set(reasons)],
  };
}

/** The mean over task means, by role. */
export function measureRoles(tasks: readonly TaskMeasurement[]): Measurement['roles'] {
  const roles: Measurement['roles'] = {};
  for (const { role } of tasks) {
    const means = tasks.filter((task) => task.role === role).map(({ mean }) => mean);
    const known = means.filter((mean) => mean !== null);
    roles[role] = known.length === means.length ? meanOf(known) : null;
  }
  return roles;
}

/** Sums over all outcomes that are known. */
export function costOf(outcomes: readonly Outcome[]): Measurement['cost'] {
  const cost = { usd: 0, tokensIn: 0, tokensOut: 0, gpuMs: 0 };
  for (const outcome of outcomes) {
    if (outcome.kind === 'lost') continue;
    cost.usd += outcome.usage.usd;
    cost.tokensIn += outcome.usage.tokensIn;
    cost.tokensOut += outcome.usage.tokensOut;
    cost.gpuMs += outcome.usage.gpuMs;
  }
  return cost;
}

/** Puts outcomes, in the order of `specs`, by task. */
export function byTask(specs: readonly TrialSpec[], outcomes: readonly Outcome[]): Map<string, Outcome[]> {
  const groups = new Map<string, Outcome[]>();
  specs.forEach((spec, i) => {
    groups.set(spec.task, [...(groups.get(spec.task) ?? []), outcomes[i]!]);
  });
  return groups;
}

/** The measurement for people. */
export function measurementText(found: Measurement): string {
  const { tasks, repeats, trials, jobs, cost } = found;
  const rows = tasks.map((task) => [
    task.id,
    task.role,
    score(task.mean),
    ...(['gold', 'silver', 'bronze'] as const).map((kind) => String(task.medals[kind] || '–')),
    `${task.valid}/${repeats}`,
    task.lost > 0 ? `${task.lost} lost` : '',
  ]);
  const means = Object.entries(found.roles).map(([role, mean]) => `${role} ${score(mean)}`);
  const reasons = [...new Set(tasks.flatMap((task) => task.reasons))];
  return [
    `genome ${found.genome.id} (${found.genome.dir}) on ${found.suite.name}, seed ${found.seed}`,
    '',
    table([['task', 'role', 'mean', 'gold', 'silver', 'bronze', 'valid', ''], ...rows], [0, 1, 7]),
    '',
    `mean score: ${means.join(', ')}`,
    ...(reasons.length > 0 ? [`without a score: ${reasons.slice(0, 5).join('; ')}`] : []),
    `${counted(trials.run, 'trial')} in ${span(found.wallMs)}; ${counted(jobs.run, 'job')} run, ${count(jobs.hits)} from the cache`,
    `${count(cost.tokensIn)} tokens in, ${count(cost.tokensOut)} out, ${money(cost.usd)}`,
    ...(found.trialsDir === null ? [] : [`trials: ${found.trialsDir}`]),
  ].join('\n');
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
