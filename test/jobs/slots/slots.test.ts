import { expect, test } from 'vitest';
import type { Gpu } from '../../../src/jobs/slots/devices.ts';
import type { Request } from '../../../src/jobs/slots/request.ts';
import { createSlots, type Lease, overtakes, type Slots } from '../../../src/jobs/slots/slots.ts';
import { gpus, mig } from '../fixture.ts';

/** Lets whoever was served get his lease. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Asks, and notes in `order` whose turn it was. */
function ask(slots: Slots, request: Request, order: string[], name: string): Promise<Lease> {
  return slots.lease(request).then((lease) => {
    order.push(name);
    return lease;
  });
}

test('no more leases than slots, and first come, first served', async () => {
  const slots = createSlots({ cpus: 2, gpus: [] });
  const order: number[] = [];
  const first = [await slots.lease({ gpus: 0 }), await slots.lease({ gpus: 0 })];
  expect(new Set(first.map((lease) => lease.slot)).size).toBe(2);
  const waiting = [0, 1, 2].map(async (i) => {
    const lease = await slots.lease({ gpus: 0 });
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
  const lease = await slots.lease({ gpus: 0 });
  lease.release();
  lease.release();
  await slots.lease({ gpus: 0 });
  expect(slots.usage()).toEqual({ busy: 1, slots: 1 });
});

test('who gives up leaves the queue, and what was kept for him goes to the others', async () => {
  const slots = createSlots({ cpus: 1, gpus: gpus('GPU-a', 'GPU-b') });
  const held = await slots.lease({ gpus: 1 });
  const control = new AbortController();
  const both = slots.lease({ gpus: 2 }, control.signal);
  // Overtaken as often as may be: the free GPU is kept for it.
  for (let i = 0; i < 2 * overtakes; i++) (await slots.lease({ gpus: 1 })).release();
  const order: string[] = [];
  const patient = ask(slots, { gpus: 1 }, order, 'patient');
  await settle();
  expect(order).toEqual([]);
  control.abort();
  await expect(both).rejects.toThrow('cancelled');
  expect((await patient).slot).toBe('GPU-b');
  held.release();
  await expect(slots.lease({ gpus: 0 }, AbortSignal.abort())).rejects.toThrow('cancelled');
});

test('small requests overtake a large one, but only so often', async () => {
  const slots = createSlots({ cpus: 1, gpus: gpus('GPU-0', 'GPU-1', 'GPU-2', 'GPU-3') });
  const order: string[] = [];
  const running: Promise<Lease>[] = [];
  for (let i = 0; i < 4; i++) running.push(ask(slots, { gpus: 1 }, order, `first ${i}`));
  await settle();
  void ask(slots, { gpus: 3 }, order, 'large');
  for (let i = 0; i < 100; i++) running.push(ask(slots, { gpus: 1 }, order, `small ${i}`));
  // One ends, the next begins: there are never three free by themselves.
  while (!order.includes('large') && running.length > 0) {
    (await (running.shift() as Promise<Lease>)).release();
    await settle();
  }
  const before = order.indexOf('large');
  expect(before).toBeGreaterThanOrEqual(4 + 4 * overtakes - 1);
  expect(before).toBeLessThanOrEqual(4 + 4 * overtakes);
});

test('a small request is not starved by large ones either', async () => {
  const slots = createSlots({ cpus: 1, gpus: gpus('GPU-0', 'GPU-1') });
  const order: string[] = [];
  const running = [ask(slots, { gpus: 2 }, order, 'first')];
  void ask(slots, { gpus: 0.5 }, order, 'small');
  for (let i = 0; i < 100; i++) running.push(ask(slots, { gpus: 2 }, order, `large ${i}`));
  while (!order.includes('small')) {
    (await (running.shift() as Promise<Lease>)).release();
    await settle();
  }
  expect(order.indexOf('small')).toBe(1 + 2 * overtakes);
});

test('GPUs and cores are taken at once or not at all', async () => {
  const slots = createSlots({ cpus: 4, gpus: gpus('GPU-a', 'GPU-b') });
  const order: string[] = [];
  const training = await slots.lease({ gpus: 1, cpus: 3 });
  expect(training).toMatchObject({ kind: 'gpu', slot: 'GPU-a' });
  expect(slots.usage().busy).toBe(4);
  const second = ask(slots, { gpus: 1, cpus: 3 }, order, 'second');
  // It holds neither the free GPU nor the free core while it waits.
  expect((await slots.lease({ gpus: 1 })).slot).toBe('GPU-b');
  const one = await slots.lease({ gpus: 0 });
  expect(one.kind).toBe('cpu');
  training.release();
  expect((await second).slot).toBe('GPU-a');
  expect(slots.usage().busy).toBe(6);
});

test('a job on several cores has names of them all', async () => {
  const slots = createSlots({ cpus: 3, gpus: [] });
  expect((await slots.lease({ gpus: 0, cpus: 2 })).slot).toBe('cpu-0,cpu-1');
});

/** Asked one after the other, all at once on the machine; what each gets. */
async function given(inventory: Parameters<typeof createSlots>[0], wishes: number[], perGpu = 1) {
  const slots = createSlots(inventory, { perGpu });
  const got: string[] = wishes.map(() => '-');
  for (const [i, wish] of wishes.entries())
    void slots.lease({ gpus: wish }).then(({ slot }) => {
      got[i] = slot;
    });
  await settle();
  return got;
}

const [A, B] = gpus('GPU-a', 'GPU-b') as [Gpu, Gpu];
const small = mig('MIG-s', 1 / 7);
const large = mig('MIG-l', 3 / 7);

test.each([
  ['shares fill a GPU before they begin another', [A, B], [0.5, 0.25, 0.25, 0.5], 'a a a b'],
  ['a whole one goes where there is no share', [A, B], [0.5, 1, 0.6], 'a b -'],
  ['ten tenths are one', [A], Array(11).fill(0.1), `${'a '.repeat(10)}-`],
  ['the smallest instance that is enough', [A, large, small], [0.1, 0.2, 0.2, 0.2], 's l a a'],
  ['a share larger than an instance goes to a whole one', [large, A], [0.5], 'a'],
  ['one is a whole GPU, or else the largest instance', [small, large, A], [1, 1, 1], 'a l s'],
  ['several are whole GPUs', [small, A, large, B], [2], 'a,b'],
])('%s', async (_, devices, wishes, expected) => {
  const got = await given({ cpus: 1, gpus: devices }, wishes);
  expect(got.join(' ').replaceAll(/GPU-|MIG-/g, '')).toBe(expected);
});

test.each([
  ['each of two GPUs has one before it has two', [A, B], [1, 1, 1, 1, 1], 'a b a b -'],
  ['two on each of two GPUs', [A, B], [2, 2, 2], 'a,b a,b -'],
  ['shares of it, too', [A], [0.5, 0.5, 0.5, 0.5, 0.5], 'a a a a -'],
  ['an instance serves as often', [small], [0.1, 1, 1], 's s -'],
])('two jobs a GPU: %s', async (_, devices, wishes, expected) => {
  const got = await given({ cpus: 1, gpus: devices }, wishes, 2);
  expect(got.join(' ').replaceAll(/GPU-|MIG-/g, '')).toBe(expected);
});
