import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Measurement } from '../../src/commands/measurement.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve } from './evolve.ts';
import { MODEL, type ModelEndpoint, startModel } from './model-endpoint.ts';

const TRIALS = 256;
const WORKERS = 2;

let folder: ReturnType<typeof emptyFolder>;
let endpoint: ModelEndpoint;
beforeEach(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2'], turns: 6, jobs: 2 });
});
afterEach(async () => {
  await endpoint.close();
  folder.remove();
});

/** Threads of a process, those of Node itself included; 0 where nobody can say. */
function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    return 0;
  }
}

test('256 trials wait on the model at once, on two threads, and none is lost', async () => {
  let pid = 0;
  let threads = 0;
  endpoint = await startModel({
    // No trial is over that soon: each has had a reply or two.
    gather: { count: TRIALS, complete: () => (threads = threadsOf(pid)) },
  });
  const ran = await evolve(
    [
      ...['trial', '--genome', path.join(folder.dir, 'genomes/baseline'), '--suite', 'suite'],
      ...['--repeats', String(TRIALS / 2), '--model', MODEL, '--unsafe-no-sandbox', '--json'],
      ...['--concurrency', String(TRIALS), '--calls', String(TRIALS), '--workers', String(WORKERS)],
    ],
    { cwd: folder.dir, env: endpoint.env },
    (child) => (pid = child.pid!),
  );
  expect(ran).toMatchObject({ code: 0 });
  expect(endpoint.mostAtOnce()).toBe(TRIALS);
  expect(threads).toBeLessThan(WORKERS + 30);
  const found = JSON.parse(ran.stdout) as Measurement;
  expect(found.trials).toEqual({ run: TRIALS, lost: 0 });
  expect(found.cost.usd).toBe(endpoint.bill().usd);
});
