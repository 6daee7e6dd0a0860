import type { RunConfig } from '../config.ts';
import { span } from '../report/format.ts';
import type { Task } from '../suite/suite.ts';

/** The jobs of a trial on the mean task: how many distinct ones, and the wall time that they and the rest of it take. */
export type JobForecast = { jobs: number; ms: number; basis: string };

/** Of earlier runs on two cores: rough, and said so. */
const SEEN = {
  /** Distinct jobs a trial, the others are answered by the cache: of the default configuration, and of research on a GPT. */
  jobsATrial: 0.45,
  longJobsATrial: 3,
  /** Wall time of a job on one of two busy cores, and of what else a trial takes, in milliseconds. */
  jobMs: 200,
  trialMs: 25,
};

/**
 * A job on Python, or whose budget is time, is taken to use all its seconds. `ms` is shared among the jobs that can run at
 * once; how many GPUs there will be is not known, so jobs on GPUs are counted one at a time.
 */
export function jobForecast(
  tasks: readonly Pick<Task, 'limits' | 'runtime'>[],
  { jobs: where, slurm, workers }: Pick<RunConfig, 'jobs' | 'slurm' | 'workers'>,
): JobForecast {
  const each = tasks.map(({ limits, runtime }) =>
    limits.clock === 'wall' || runtime === 'python'
      ? { jobs: SEEN.longJobsATrial, jobMs: 1000 * limits.jobSeconds }
      : { jobs: SEEN.jobsATrial, jobMs: SEEN.jobMs },
  );
  const jobs = mean(each.map((task) => task.jobs));
  const jobsMs = mean(each.map((task) => task.jobs * task.jobMs));
  const onGpus = tasks.some(({ limits }) => limits.gpus > 0);
  const atOnce = (where === 'slurm' ? slurm.atOnce : null) ?? (onGpus ? 1 : workers);
  const lanes = where === 'slurm' || onGpus ? `${atOnce} at once (more take less)` : `on ${workers} cores`;
  return {
    jobs,
    ms: (jobsMs + SEEN.trialMs) / atOnce,
    basis: `${span(Math.round(jobsMs / jobs))} a job and ${SEEN.trialMs} ms a trial, ${lanes}; the cache is taken to be empty`,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
