// A process that runs jobs on Slurm as a run does, to be killed: argv[2] tells its options, specs, and how fast its clock is.
import { setTimeout as delay } from 'node:timers/promises';
import { identify } from '../../../dist/jobs/identify.js';
import { slurmBackend } from '../../../dist/jobs/slurm/backend.js';

const { options, specs, speed } = JSON.parse(process.argv[2]);
const clock = {
  now: () => performance.now() * speed,
  sleep: (ms, signal) => delay(ms / speed, undefined, { signal }).catch(() => {}),
};
const backend = slurmBackend({ ...options, clock });
const { signal } = new AbortController();
const run = (spec) => backend.run({ spec, identity: identify(spec), signal, tell() {} });
await Promise.all(specs.map(run));
console.log('all have ended');
await backend.close();
