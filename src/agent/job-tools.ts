import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Curve, curveOf, type Metric } from '../jobs/curve.ts';
import type { JobOutcome, JobSpec } from '../jobs/job.ts';
import { redact } from '../secrets.ts';
import type { Task } from '../suite/suite.ts';
import type { AgentHost } from './run-agent.ts';
import { submissionFault } from './submission.ts';
import type { Jobs, ToolResult } from './tools.ts';
import { TrialLost } from './trial-lost.ts';
import type { Workspace } from './workspace.ts';

const SUBMISSION = 'submission.csv';
/** Most of a log that is shown to the model, in characters; the end is kept. */
const SHOWN_LOG = 1500;
const MAX_SUBMISSION = 5_000_000;

/**
 * The trial's jobs: counts them against its budget, keeps logs, and keeps every valid submission. `record` gives
 * the identities in order, and the curve of the first training that gave a valid submission.
 */
export type JobLedger = Jobs & { left(): number; record(): { jobs: string[]; curve?: Curve } };

/** `folders.trial` is the trial's folder; `attempt` says which attempt is under way. */
export function jobLedger(
  task: Task,
  host: AgentHost,
  workspace: Workspace,
  folders: { trial: string; work: string; attempts: string },
  budget: number,
  attempt: () => number,
): JobLedger {
  const identities: string[] = [];
  const submission = join(folders.trial, SUBMISSION);
  let curve: Curve | null = null;
  const sample = readFileSync(join(task.publicDir, 'sample_submission.csv'), 'utf8');

  async function job(
    what: Pick<JobSpec, 'command' | 'outputs' | 'gpus' | 'prune'>,
  ): Promise<{ done: boolean; log: string; metrics: Metric[] }> {
    if (identities.length >= budget) return { done: false, log: 'error: no jobs are left', metrics: [] };
    const { identity, outcome } = await host.job(specOf(task, folders.work, what));
    if (outcome.kind === 'lost') throw new TrialLost(`job ${identity}: ${outcome.reason}`);
    if (outcome.kind === 'cancelled') throw new TrialLost(`job ${identity}: cancelled`);
    identities.push(identity);
    writeLog(folders.trial, identities.length, what.command, outcome.log);
    const log = outcome.log.trim().slice(-SHOWN_LOG);
    const { metrics = [] } = outcome;
    if (outcome.kind === 'done') return { done: true, log, metrics };
    return { done: false, log: `${log}\nerror: ${endOf(outcome)}`, metrics };
  }

  async function train(): Promise<ToolResult> {
    // Until there is a submission to fall back on, a training is never stopped: the trial would come to nothing. And so
    // the first of each is whole, and their curves are a fair sample of what others are compared with.
    const first = !existsSync(submission);
    const { done, log, metrics } = await job({
      command: task.train,
      outputs: [SUBMISSION],
      gpus: task.limits.gpus,
      ...(first || host.prune === undefined ? {} : { prune: host.prune }),
    });
    if (!done) return { text: log, error: true };
    const path = join(folders.work, SUBMISSION);
    const fault = existsSync(path) ? faultOf(path, sample) : `no ${SUBMISSION} was written`;
    if (fault) return { text: `${log}\nerror: ${fault}`, error: true };
    const kept = join(folders.attempts, String(attempt()));
    mkdirSync(kept, { recursive: true });
    for (const file of workspace.list()) {
      if (!file.includes('/')) keepFile(join(folders.work, file), join(kept, file));
    }
    copyFileSync(path, submission);
    if (first && task.prune !== null) curve = curveOf(metrics, task.prune);
    return { text: `${log}\nsubmission.csv is valid`, scored: true };
  }

  return {
    train,
    run: async (command) => {
      const { done, log } = await job({ command, outputs: [], gpus: 0 });
      return done ? { text: log } : { text: log, error: true };
    },
    left: () => budget - identities.length,
    record: () => ({ jobs: identities, ...(curve === null ? {} : { curve }) }),
  };
}

/** The job as the task allows it: what it asks for goes into its identity, and so only what differs from the usual. */
function specOf(
  task: Task,
  folder: string,
  { command, outputs, gpus, prune }: Pick<JobSpec, 'command' | 'outputs' | 'gpus' | 'prune'>,
): JobSpec {
  const { jobSeconds, memoryMb, clock, cpus, diskMb, processes } = task.limits;
  const env = Object.fromEntries(
    // Not one that holds a secret under a harmless name, as a proxy's address may.
    task.env.flatMap((name) => {
      const value = process.env[name];
      return value === undefined || redact(value) !== value ? [] : [[name, value]];
    }),
  );
  return {
    command,
    folder,
    data: { dir: task.publicDir, hash: task.publicHash },
    outputs,
    limits: {
      seconds: jobSeconds,
      memoryMb,
      outputBytes: 64_000,
      ...(diskMb === undefined ? {} : { diskMb }),
      ...(processes === undefined ? {} : { processes }),
    },
    ...(clock === 'wall' ? { clock } : {}),
    gpus,
    // One is what a job without GPUs takes anyway.
    ...(cpus === undefined || (cpus === 1 && gpus === 0) ? {} : { cpus }),
    ...(task.runtime === 'node' ? {} : { runtime: task.runtime }),
    ...(task.packages === undefined ? {} : { packages: task.packages }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(task.network ? { network: true } : {}),
    ...(prune === undefined ? {} : { prune }),
  };
}

function endOf(outcome: Exclude<JobOutcome, { kind: 'done' | 'lost' | 'cancelled' }>): string {
  if (outcome.kind === 'failed') return `exit code ${outcome.exitCode}`;
  if (outcome.kind === 'timeout') return 'out of time';
  if (outcome.kind === 'out-of-memory') return 'out of memory';
  return 'stopped early: earlier runs had done better by then';
}

function faultOf(path: string, sample: string): string | null {
  const stat = lstatSync(path);
  if (!stat.isFile()) return `${SUBMISSION} is not a plain file`;
  if (stat.size > MAX_SUBMISSION) return `${SUBMISSION} is larger than ${MAX_SUBMISSION} bytes`;
  return submissionFault(readFileSync(path, 'utf8'), sample);
}

/**
 * Keeps a file of the agent's as it is now: as a second name for it, since what changes in its folder is put into its
 * place and never written into it, and that is several times cheaper than a copy.
 */
function keepFile(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    // Not every file system has links.
    copyFileSync(from, to);
  }
}

function writeLog(trial: string, number: number, command: string[], log: string): void {
  const folder = join(trial, 'logs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `job-${number}.log`), redact(`$ ${command.join(' ')}\n${log}`));
}
