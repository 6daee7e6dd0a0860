import { expect, test } from 'vitest';
import { mayBePassed, variables } from '../../../src/jobs/sandbox/variables.ts';
import { job, runner } from '../fixture.ts';

const place = { home: '/work', programs: ['/opt/node/bin'], gpus: ['GPU-a', 'GPU-b'] };

test('a job has as many threads as it has cores, and sees its GPUs in the order of the bus', () => {
  expect(variables({ cpus: 3 }, place)).toMatchObject({
    OMP_NUM_THREADS: '3',
    MKL_NUM_THREADS: '3',
    CUDA_VISIBLE_DEVICES: 'GPU-a,GPU-b',
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    PATH: '/opt/node/bin:/usr/local/bin:/usr/bin:/bin',
  });
});

test.each([
  'PATH',
  'HOME',
  'CUDA_VISIBLE_DEVICES',
  'OMP_NUM_THREADS',
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'NODE_OPTIONS',
  'PYTHONPATH',
  'BASH_ENV',
  'ENV',
  'GCONV_PATH',
  'EVOLVE_PYTHON',
  'A B',
  '',
])('the variable %j is given to no job', async (name) => {
  expect(mayBePassed(name)).toBe(false);
  const { run } = runner();
  const out = await run(job('', { env: { [name]: 'x' }, retries: 0 }));
  expect(out).toMatchObject({ kind: 'lost', reason: `no job may be given the variable ${name}` });
});

test('others are given with their values', async () => {
  const { run } = runner();
  const main = 'console.log(process.env.TORCH_HOME, process.env.PATH)';
  expect((await run(job(main, { env: { TORCH_HOME: '/work/t' } }))).log).toMatch(/^\/work\/t \S+\n$/);
});
