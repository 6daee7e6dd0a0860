import type { JobSpec } from '../../../src/jobs/job.ts';
import { type SlurmSettings, slurmDefaults } from '../../../src/jobs/slurm/settings.ts';

/** A job of a second on one core; what is told of it, over that. */
export function specOf(told: Partial<JobSpec>): JobSpec {
  return {
    command: ['node', 'main.mjs'],
    folder: '/nowhere',
    data: { dir: '/nowhere', hash: 'data' },
    outputs: ['out.txt'],
    limits: { seconds: 1, memoryMb: 512, outputBytes: 10_000 },
    gpus: 0,
    ...told,
  };
}

export function settingsOf(told: Partial<SlurmSettings>): SlurmSettings {
  return { ...slurmDefaults, ...told };
}
