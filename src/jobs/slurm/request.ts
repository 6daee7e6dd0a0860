import type { JobSpec } from '../job.ts';
import { deadlineOf } from '../process/limits.ts';
import type { SlurmSettings } from './settings.ts';

/** What of a job decides with which others it can stand in one array. */
export type Asking = Pick<JobSpec, 'gpus' | 'cpus' | 'clock'> & {
  limits: Pick<JobSpec['limits'], 'seconds' | 'memoryMb'>;
};

/** Options of sbatch for what a job asks for, one argument each; equal ones can stand in one array. */
export function resourceOptions(spec: Asking, settings: SlurmSettings): string[] {
  const gpus = Math.ceil(spec.gpus);
  return [
    '--nodes=1',
    '--ntasks=1',
    `--cpus-per-task=${spec.cpus ?? 1}`,
    `--mem=${spec.limits.memoryMb + OUR_MEMORY_MB}M`,
    `--time=${Math.ceil((deadlineOf(spec) + settings.marginSeconds) / 60)}`,
    ...(gpus > 0 ? [`--gres=${settings.gres}:${gpus}`] : []),
  ];
}

/** Options of sbatch that are the same for all jobs of a run. They come after ours, so that `extra` has the last word. */
export function placeOptions(settings: SlurmSettings): string[] {
  const { partition, account, qos, reservation, constraint, extra } = settings;
  const named = { partition, account, qos, reservation, constraint };
  const options = Object.entries(named).flatMap(([name, value]) =>
    value === null ? [] : [`--${name}=${value}`],
  );
  return [...options, ...extra];
}

/** Options without which a job could run twice, or see what it must not: only what finds programs goes along. */
export const fixedOptions = ['--no-requeue', '--export=PATH,EVOLVE_PYTHON'];

/** What the names of a run's jobs begin with. */
export function namesOf(run: string): string {
  return `evolve-${run}-`;
}

/** For the program that starts the job, and for what a job is given above its own limit on every machine. */
const OUR_MEMORY_MB = 384;
