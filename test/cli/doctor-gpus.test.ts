import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { openLeases } from '../../src/jobs/slots/leases.ts';
import { folder } from '../jobs/fixture.ts';
import { evolve } from './evolve.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('doctor shows GPUs and MIG instances, and who has them', async () => {
  const listing = `GPU 0: NVIDIA A100 (UUID: GPU-a)
GPU 1: NVIDIA A100 (UUID: GPU-b)
  MIG 3g.20gb     Device  0: (UUID: MIG-c)
`;
  const bin = folder({ 'nvidia-smi': `#!/bin/sh\ncat <<'END'\n${listing}END\n` });
  chmodSync(join(bin, 'nvidia-smi'), 0o755);
  vi.stubEnv('EVOLVE_GPU_LEASES', join(folder(), 'leases'));
  const leases = openLeases([]);
  leases.take('MIG-c', 0);
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    CUDA_VISIBLE_DEVICES: undefined,
    OPENAI_BASE_URL: undefined,
  };
  const lines = async (change: Record<string, string>) => {
    const { stdout } = await evolve(['doctor', '--json'], { env: { ...env, ...change } });
    return (JSON.parse(stdout) as { name: string; detail: string }[])
      .filter(({ name }) => name.startsWith('gpu'))
      .map(({ detail }) => detail);
  };
  const [all, one, none] = await Promise.all([
    lines({}),
    lines({ CUDA_VISIBLE_DEVICES: '0' }),
    lines({ CUDA_VISIBLE_DEVICES: '' }),
  ]);
  leases.give('MIG-c');
  expect(one).toEqual(['1 whole, 0 MIG, 1 hidden by CUDA_VISIBLE_DEVICES', all?.[1]]);
  expect(none).toEqual(['none, 2 hidden by CUDA_VISIBLE_DEVICES']);
  expect(all).toEqual([
    '1 whole, 1 MIG',
    'NVIDIA A100 (GPU-a): no run has it',
    `MIG 3g.20gb, 43% of a GPU (MIG-c): process ${process.pid} has it`,
  ]);
});
