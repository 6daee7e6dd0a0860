import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask, openWorld, type World } from './world.ts';

const KEY = 'canary-4711-key';
const NAMES = ['OPENAI_API_KEY', 'SBATCH_EXPORT', 'SQUEUE_FORMAT', 'SLURM_CLUSTERS', 'EVOLVE_TEST_TOKEN'];

let world: World;
beforeEach(async () => {
  world = await openWorld();
  for (const name of NAMES) process.env[name] = KEY;
});
afterEach(async () => {
  for (const name of NAMES) delete process.env[name];
  await world.close();
});

test('keys of the environment reach neither the programs of Slurm, nor a job, nor a file', async () => {
  const main =
    "console.log(JSON.stringify(process.env)); console.log(require('fs').readFileSync('/proc/' + process.ppid + '/environ', 'utf8'));";
  const backend = world.open();
  const spec = { ...world.spec('a'), command: ['node', '-e', main] };
  const { result } = await ask(backend, spec);
  expect(result.outcome).toMatchObject({
    kind: 'done',
    log: expect.stringContaining('"CUDA_VISIBLE_DEVICES":""'),
  });
  expect(JSON.stringify(result)).not.toContain(KEY);
  expect(JSON.stringify(world.cluster.calls)).not.toContain(KEY);
  const submitted = world.cluster.calls.find(({ program }) => program === 'sbatch');
  const exported = submitted?.args.filter((arg) => arg.startsWith('--export')) ?? [];
  expect(exported).toEqual([expect.stringMatching(/^--export=PATH(,EVOLVE_PYTHON)?$/)]);
  const files = readdirSync(world.dir, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  expect(files.length).toBeGreaterThan(3);
  for (const { parentPath, name } of files)
    expect(readFileSync(join(parentPath, name), 'utf8')).not.toContain(KEY);
});
