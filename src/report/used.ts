import type { JobRecord } from '../jobs/runner.ts';
import { groupBy } from './trials.ts';

/** What jobs took, as it passed on this machine or cluster; a cache hit took nothing. */
export type Used = {
  /** Jobs that ran; `failed` and `pruned` are among them. */
  jobs: number;
  /** Answered by the cache, or by an equal job that was running. */
  hits: number;
  /** Ended badly by their own doing: an error, out of time or memory. */
  failed: number;
  pruned: number;
  /** Cut off by the infrastructure, also before they ran, or while they ran by whoever stopped the run. */
  lost: number;
  /** Time × cores held, and time × GPUs held (a share counts as such). */
  cpuMs: number;
  gpuMs: number;
};

/** Sums over jobs. */
export function usedBy(jobs: readonly JobRecord[]): Used {
  const used: Used = { jobs: 0, hits: 0, failed: 0, pruned: 0, lost: 0, cpuMs: 0, gpuMs: 0 };
  for (const { kind, hit, runMs, slot, gpus, cpus } of jobs) {
    if (hit) used.hits++;
    if (kind === 'lost') used.lost++;
    if (slot === null) continue;
    used.jobs++;
    used.cpuMs += runMs * cpus;
    used.gpuMs += runMs * gpus;
    if (kind === 'pruned') used.pruned++;
    else if (kind === 'cancelled') used.lost++;
    else if (kind !== 'done' && kind !== 'lost') used.failed++;
  }
  return used;
}

/** The jobs of each lineage; `lineageOf` knows that of a genome by its id. Jobs of which nobody said who asked go by `unknown`. */
export function jobsByLineage(
  jobs: readonly JobRecord[],
  lineageOf: (genome: string) => string | undefined,
): Map<string, JobRecord[]> {
  return groupBy(jobs, ({ genome }) => (genome === null ? undefined : lineageOf(genome)) ?? 'unknown');
}
