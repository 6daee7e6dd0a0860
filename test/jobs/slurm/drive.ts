import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { JobSpec } from '../../../src/jobs/job.ts';
import type { SlurmOptions } from '../../../src/jobs/slurm/settings.ts';

/** Runs jobs in a process of its own, which can be killed. `speed` is how much faster its clock is. */
export function drive(options: SlurmOptions, specs: readonly JobSpec[], speed: number): ChildProcess {
  const { clock: _clock, say: _say, ...plain } = options;
  const told = JSON.stringify({ options: plain, specs, speed });
  return spawn(process.execPath, [join(import.meta.dirname, 'driver.mjs'), told], { stdio: 'inherit' });
}

/** `kill -9`, and waits until it is gone. */
export async function kill(driver: ChildProcess): Promise<void> {
  const gone = new Promise((done) => driver.once('exit', done));
  driver.kill('SIGKILL');
  await gone;
}
