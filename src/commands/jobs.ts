import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { JOB_CACHE, type RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { JobRunner } from '../jobs/job.ts';
import { localRunner } from '../jobs/local/local.ts';
import { jobRunner, type RunnerOptions } from '../jobs/runner.ts';
import { clearSlurm, slurmBackend } from '../jobs/slurm/backend.ts';
import { probeSlurm } from '../jobs/slurm/probe.ts';
import { namesOf } from '../jobs/slurm/request.ts';
import type { SlurmOptions } from '../jobs/slurm/settings.ts';
import { hashJson, type Json } from '../json.ts';
import type { Suite } from '../suite/suite.ts';
import type { Halt } from './models.ts';
import type { Parties } from './parties.ts';
import { checkSandbox, needsSandbox } from './safety.ts';

export type JobsWanted = Pick<RunnerOptions, 'onJob' | 'onLive'> & {
  config: RunConfig;
  parties: Parties;
  suite: Suite;
  /** Folders that no job may see. */
  hidden: readonly string[];
  /** What a cluster shares with this machine: a folder of this run alone, made where jobs run on a cluster. */
  shared: string;
  /** What else tells this run from others: its jobs on a cluster are named by it and by where the folder is. */
  identity: Json;
  /** Whoever goes on with it later finds the same folder: a cluster that refuses further jobs may keep those that run. */
  resumable: boolean;
  say(line: string): void;
  /** Aborted when the run is to stop. */
  signal: AbortSignal;
};

/**
 * Opens the runner that was asked for. A cluster is tried out first: rejects with a `UserError` where it is of no use, or
 * its nodes have no sandbox for what a real model writes.
 */
export async function openJobs(wanted: JobsWanted): Promise<JobRunner> {
  const { config, hidden, resumable, onJob, onLive, say, signal } = wanted;
  const cacheDir = config.jobCache ? resolve(JOB_CACHE) : null;
  const options = { cacheDir, ...(onJob && { onJob }), ...(onLive && { onLive }) };
  if (config.jobs === 'local') {
    if (existsSync(wanted.shared)) await leaveCluster(clusterOf(wanted));
    return localRunner({ ...options, hidden, perGpu: config.jobsPerGpu });
  }
  mkdirSync(wanted.shared, { recursive: true });
  const slurm: SlurmOptions = {
    ...clusterOf(wanted),
    hidden,
    resumable,
    needsSandbox: needsSandbox(wanted.parties, config),
  };
  say(`jobs run on ${runnerName(config)}; trying it out with a small one`);
  try {
    const probed = await probeSlurm(slurm, wanted.suite.tasks, signal);
    if (probed === null) say('Slurm has jobs of this run, or had: it needs no trying out');
    else {
      const { node, nodeVersion, sandbox } = probed;
      say(`Slurm runs jobs: ${node} has Node ${nodeVersion}, ${sandbox.why}`);
      checkSandbox(wanted.parties, config, sandbox, say);
    }
  } catch (error) {
    // Who stops the run meanwhile has a run that was stopped, and none that failed.
    if (!signal.aborted) throw error;
  }
  return jobRunner(slurmBackend(slurm), options);
}

/** Makes sure that nothing of a run is left on Slurm; throws a `UserError` where that cannot be known. */
async function leaveCluster(slurm: SlurmOptions): Promise<void> {
  if (await clearSlurm(slurm)) return;
  throw new UserError(
    'jobs of this run may be left on Slurm, and Slurm does not answer',
    `go on with --jobs slurm, or cancel what \`squeue --me\` shows as ${namesOf(slurm.run)}… and delete ${slurm.folder}`,
    4,
  );
}

/** Cancels what an earlier process, with this shared folder, has left on Slurm; false where it may not be all. */
export async function clearLeft(wanted: Place): Promise<boolean> {
  return clearSlurm(clusterOf(wanted));
}

type Place = Pick<JobsWanted, 'shared' | 'identity' | 'config' | 'say'>;

/** Where a run is on a cluster; its shared folder exists. */
function clusterOf({ shared, identity, config, say }: Place): SlurmOptions {
  const folder = realpathSync(shared);
  return { folder, run: hashJson([folder, identity], 10), settings: config.slurm, hidden: [], say };
}

/** Why no further job can run; null while they can. */
export function haltOfJobs({ halted }: Pick<JobRunner, 'halted'>): Halt | null {
  if (!halted.aborted) return null;
  const { message, hint } = halted.reason as Error & { hint?: string };
  return { stop: 'infrastructure', reason: message, hint: hint ?? '' };
}

/** Where jobs run, for people. */
export function runnerName(config: Pick<RunConfig, 'jobs' | 'slurm'>): string {
  return config.jobs === 'local' ? 'this machine' : `Slurm${place(config)}`;
}

function place({ slurm: { partition, account } }: Pick<RunConfig, 'slurm'>): string {
  const named = Object.entries({ partition, account }).flatMap(([what, name]) =>
    name ? [`${what} ${name}`] : [],
  );
  return named.length === 0 ? '' : ` (${named.join(', ')})`;
}
