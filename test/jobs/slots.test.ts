import { expect, test } from 'vitest';
import { createSlots, visibleGpus } from '../../src/jobs/slots.ts';

const listing = `GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
GPU 2: NVIDIA A100 (UUID: GPU-cccc-3)
  MIG 1g.5gb Device 0: (UUID: MIG-c1)
  MIG 1g.5gb Device 1: (UUID: MIG-c2)
`;

test.each([
  [undefined, ['GPU-aaaa-1', 'GPU-bbbb-2', 'MIG-c1', 'MIG-c2']],
  ['1,0', ['GPU-bbbb-2', 'GPU-aaaa-1']],
  ['GPU-bb', ['GPU-bbbb-2']],
  ['MIG-c2', ['MIG-c2']],
  ['0,0', ['GPU-aaaa-1']],
  ['0,7,1', ['GPU-aaaa-1']],
  ['', []],
  ['-1', []],
])('CUDA_VISIBLE_DEVICES=%s', (visible, expected) => {
  expect(visibleGpus(listing, visible)).toEqual(expected);
});

test('no more leases than slots, and first come, first served', async () => {
  const slots = createSlots({ cpus: 2, gpus: [] });
  const order: number[] = [];
  const first = [await slots.lease(0), await slots.lease(0)];
  expect(new Set(first.map((lease) => lease.slot)).size).toBe(2);
  const waiting = [0, 1, 2].map(async (i) => {
    const lease = await slots.lease(0);
    order.push(i);
    expect(slots.usage().busy).toBeLessThanOrEqual(2);
    lease.release();
  });
  expect(slots.usage().busy).toBe(2);
  for (const lease of first) lease.release();
  await Promise.all(waiting);
  expect(order).toEqual([0, 1, 2]);
  expect(slots.usage().busy).toBe(0);
});

test('releasing twice gives a slot away once', async () => {
  const slots = createSlots({ cpus: 1, gpus: [] });
  const lease = await slots.lease(0);
  lease.release();
  lease.release();
  await slots.lease(0);
  expect(slots.usage()).toEqual({ busy: 1, slots: 1 });
});

test('a job gets its GPUs by UUID, and a large request is not starved by small ones', async () => {
  const slots = createSlots({ cpus: 1, gpus: ['GPU-a', 'GPU-b'] });
  const one = await slots.lease(1);
  expect([one.kind, one.slot]).toEqual(['gpu', 'GPU-a']);
  const order: string[] = [];
  const both = slots.lease(2).then((lease) => {
    order.push(lease.slot);
    lease.release();
  });
  const late = slots.lease(1).then((lease) => order.push(lease.slot));
  expect((await slots.lease(0)).kind).toBe('cpu');
  one.release();
  await Promise.all([both, late]);
  expect(order[0]?.split(',').sort()).toEqual(['GPU-a', 'GPU-b']);
});

test('what cannot be had is refused at once, and who gives up leaves the queue', async () => {
  const slots = createSlots({ cpus: 1, gpus: [] });
  await expect(slots.lease(2)).rejects.toThrow('asks for 2 GPUs, 0 here');
  const held = await slots.lease(0);
  const control = new AbortController();
  const given = slots.lease(0, control.signal);
  const patient = slots.lease(0);
  control.abort();
  await expect(given).rejects.toThrow('cancelled');
  held.release();
  expect((await patient).slot).toBe('cpu-0');
});
