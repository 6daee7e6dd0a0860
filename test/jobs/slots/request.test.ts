import { expect, test } from 'vitest';
import { type Request, refusal, refuseImpossible } from '../../../src/jobs/slots/request.ts';
import { createSlots } from '../../../src/jobs/slots/slots.ts';
import { gpus, mig } from '../fixture.ts';

const cut = [...gpus('GPU-a'), mig('MIG-a', 3 / 7), mig('MIG-b', 1 / 7)];

test.each([
  [{ gpus: 0 }, [], null],
  [{ gpus: 0, cpus: 4 }, [], null],
  [{ gpus: 0, cpus: 5 }, [], 'asks for 5 cores, 4 here'],
  [{ gpus: 1 }, [], 'asks for 1 GPU, 0 here'],
  [{ gpus: 0.5 }, [], 'asks for 0.5 of a GPU, 0 here'],
  [{ gpus: 3 }, gpus('GPU-a', 'GPU-b'), 'asks for 3 GPUs, 2 here'],
  [{ gpus: 2, cpus: 9 }, gpus('GPU-a', 'GPU-b'), 'asks for 9 cores, 4 here'],
  [{ gpus: 1.5 }, gpus('GPU-a', 'GPU-b'), 'asks for 1.5 GPUs; it is a whole number, or a share of one'],
  [{ gpus: Number.NaN }, [], 'asks for NaN GPUs; it is a whole number, or a share of one'],
  [{ gpus: 2 }, cut, 'asks for 2 GPUs, 1 whole one here'],
  [{ gpus: 0.9 }, cut, null],
  [{ gpus: 1 }, cut.slice(1), null],
  [{ gpus: 0.4 }, cut.slice(1), null],
  [{ gpus: 0.5 }, cut.slice(1), 'asks for 0.5 of a GPU, no MIG instance here is so large'],
] as const)('%j', async (request: Request, devices, expected) => {
  const inventory = { cpus: 4, gpus: [...devices] };
  expect(refusal(request, inventory)).toBe(expected);
  const asked = createSlots(inventory).lease(request);
  if (expected === null) (await asked).release();
  else await expect(asked).rejects.toThrow(expected);
});

test('a task whose jobs could never run is refused before the run', async () => {
  const inventory = { cpus: 2, gpus: gpus('GPU-a') };
  const task = (id: string, gpus: number, cpus = 1) => ({ id, limits: { gpus, cpus } });
  await refuseImpossible([task('a', 0), task('b', 1), task('c', 0.5)], inventory);
  const refused = refuseImpossible([task('a', 1), task('b', 4)], inventory);
  await expect(refused).rejects.toMatchObject({
    name: 'UserError',
    message: "task 'b' asks for 4 GPUs, 1 here",
    exitCode: 2,
  });
  await expect(refuseImpossible([task('a', 0, 100_000)])).rejects.toThrow(/task 'a' asks for 100000 cores/);
});
