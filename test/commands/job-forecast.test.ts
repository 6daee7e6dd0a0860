import { expect, test } from 'vitest';
import { jobForecast } from '../../src/commands/job-forecast.ts';
import { slurmDefaults } from '../../src/jobs/slurm/settings.ts';
import type { Task } from '../../src/suite/suite.ts';

const here = { jobs: 'local' as const, slurm: slurmDefaults, workers: 2 };
const task = (limits: Partial<Task['limits']> = {}, runtime: Task['runtime'] = 'node') => ({
  runtime,
  limits: {
    turns: 30,
    jobs: 16,
    jobSeconds: 20,
    memoryMb: 512,
    clock: 'cpu' as const,
    gpus: 0,
    cpus: 1,
    ...limits,
  },
});

test('small jobs are forecast as they were seen, whatever they may take; long ones by what they may take', () => {
  const small = jobForecast([task(), task({ jobSeconds: 600 })], here);
  expect(small.ms).toBeCloseTo((0.45 * 200 + 25) / 2);
  expect(small.basis).toMatch(/^200 ms a job .* on 2 cores/);
  for (const long of [task({ jobSeconds: 300 }, 'python'), task({ jobSeconds: 300, clock: 'wall' })]) {
    const { jobs, ms, basis } = jobForecast([long], here);
    expect(ms).toBeCloseTo((jobs * 300_000 + 25) / 2);
    expect(basis).toMatch(/^5 min 0 s a job /);
  }
});

test('jobs on GPUs are counted one at a time, those of a cluster by what it is to run at once', () => {
  const gpu = [task({ jobSeconds: 300, clock: 'wall', gpus: 1 }, 'python')];
  const one = jobForecast(gpu, here);
  expect(one.basis).toContain('1 at once');
  const eight = jobForecast(gpu, { ...here, jobs: 'slurm', slurm: { ...slurmDefaults, atOnce: 8 } });
  expect(eight.basis).toContain('8 at once');
  expect(one.ms / eight.ms).toBeCloseTo(8);
});
