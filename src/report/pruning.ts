import type { JobRecord } from '../jobs/runner.ts';
import { count, span } from './format.ts';

/** Of the jobs that had a rule and ran: those that were stopped early and the whole ones, and their time. */
export type Pruning = { stopped: { jobs: number; ms: number }; whole: { jobs: number; ms: number } };

/** Sums over jobs that were really run; null where none of them could have been stopped. */
export function pruningOf(jobs: readonly JobRecord[]): Pruning | null {
  const ruled = jobs.filter(({ ruled, slot }) => ruled && slot !== null);
  const sum = (kind: JobRecord['kind']) => {
    const ended = ruled.filter((job) => job.kind === kind);
    return { jobs: ended.length, ms: ended.reduce((total, { runMs }) => total + runMs, 0) };
  };
  return ruled.length === 0 ? null : { stopped: sum('pruned'), whole: sum('done') };
}

/** `12 stopped early, after 3 min 20 s in all; 28 whole ones took 20 min 5 s`. */
export function pruningText({ stopped, whole }: Pruning): string {
  return `${count(stopped.jobs)} stopped early, after ${span(stopped.ms)} in all; ${count(whole.jobs)} whole ones took ${span(whole.ms)}`;
}
