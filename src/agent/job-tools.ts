import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobSpec } from '../jobs/job.ts';
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

/** The trial's jobs: counts them against its budget, keeps logs, and keeps every valid submission. */
export type JobLedger = Jobs & { left(): number; identities(): string[] };

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
  const sample = readFileSync(join(task.publicDir, 'sample_submission.csv'), 'utf8');

  async function job(command: string[], outputs: string[]): Promise<{ done: boolean; log: string }> {
    if (identities.length >= budget) return { done: false, log: 'error: no jobs are left' };
    const spec: JobSpec = {
      command,
      folder: folders.work,
      data: { dir: task.publicDir, hash: task.publicHash },
      outputs,
      limits: { seconds: task.limits.jobSeconds, memoryMb: task.limits.memoryMb, outputBytes: 64_000 },
      gpus: 0,
    };
    const { identity, outcome } = await host.job(spec);
    if (outcome.kind === 'lost') throw new TrialLost(`job ${identity}: ${outcome.reason}`);
    identities.push(identity);
    writeLog(folders.trial, identities.length, command, outcome.log);
    const log = outcome.log.trim().slice(-SHOWN_LOG);
    if (outcome.kind === 'done') return { done: true, log };
    const end = outcome.kind === 'failed' ? `exit code ${outcome.exitCode}` : 'out of memory';
    return { done: false, log: `${log}\nerror: ${end}` };
  }

  async function train(): Promise<ToolResult> {
    const { done, log } = await job(['node', 'main.mjs'], [SUBMISSION]);
    if (!done) return { text: log, error: true };
    const path = join(folders.work, SUBMISSION);
    const fault = existsSync(path) ? faultOf(path, sample) : `no ${SUBMISSION} was written`;
    if (fault) return { text: `${log}\nerror: ${fault}`, error: true };
    const kept = join(folders.attempts, String(attempt()));
    mkdirSync(kept, { recursive: true });
    for (const file of workspace.list()) {
      if (!file.includes('/')) copyFileSync(join(folders.work, file), join(kept, file));
    }
    copyFileSync(path, join(folders.trial, SUBMISSION));
    return { text: `${log}\nsubmission.csv is valid`, scored: true };
  }

  return {
    train,
    run: async (command) => {
      const { done, log } = await job(command, []);
      return done ? { text: log } : { text: log, error: true };
    },
    left: () => budget - identities.length,
    identities: () => identities,
  };
}

function faultOf(path: string, sample: string): string | null {
  const stat = lstatSync(path);
  if (!stat.isFile()) return `${SUBMISSION} is not a plain file`;
  if (stat.size > MAX_SUBMISSION) return `${SUBMISSION} is larger than ${MAX_SUBMISSION} bytes`;
  return submissionFault(readFileSync(path, 'utf8'), sample);
}

function writeLog(trial: string, number: number, command: string[], log: string): void {
  const folder = join(trial, 'logs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `job-${number}.log`), redact(`$ ${command.join(' ')}\n${log}`));
}
