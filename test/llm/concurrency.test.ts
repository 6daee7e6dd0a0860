import { describe, expect, test } from 'vitest';
import { type AdaptiveLimit, adaptiveLimit, type Place, withLimit } from '../../src/llm/concurrency.ts';
import { type Llm, LlmError } from '../../src/llm/llm.ts';
import { rngAt } from '../../src/rng.ts';
import { fakeClock, settled } from './fake-clock.ts';
import { REPLY, REQUEST } from './hello.ts';

const BUSY = new LlmError('busy', 'too many requests');
const DOWN = new LlmError('unavailable', 'bad gateway');

const fill = (limit: AdaptiveLimit) =>
  Promise.all(Array.from({ length: limit.now().bound }, () => limit.take()));
/** So many replies, the limit used to the full all the while. */
async function replies(limit: AdaptiveLimit, count: number): Promise<void> {
  const places = await fill(limit);
  for (let i = 0; i < count; i++) {
    places.shift()!.done(null);
    while (limit.now().inFlight < limit.now().bound) places.push(await limit.take());
  }
  for (const place of places) place.done(new LlmError('cancelled', 'enough'));
}

describe('places', () => {
  test('at most the bound at once; first come, first served', async () => {
    const limit = adaptiveLimit({ most: 2 });
    const order: number[] = [];
    const places: Place[] = [];
    for (let i = 0; i < 5; i++) {
      void limit.take().then((place) => {
        order.push(i);
        places.push(place);
      });
    }
    await settled();
    expect(limit.now()).toEqual({ bound: 2, inFlight: 2, waiting: 3 });
    while (order.length < 5) {
      places.shift()!.done(null);
      await settled();
    }
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  test('a place is given back once', async () => {
    const limit = adaptiveLimit({ most: 2 });
    const [first] = await fill(limit);
    first!.done(null);
    first!.done(null);
    expect(limit.now().inFlight).toBe(1);
  });

  test('whoever waits can leave the queue', async () => {
    const limit = adaptiveLimit({ most: 1 });
    const place = await limit.take();
    const leaving = new AbortController();
    const left = limit.take(leaving.signal);
    const stays = limit.take();
    leaving.abort();
    await expect(left).rejects.toMatchObject({ fault: 'cancelled' });
    expect(limit.now().waiting).toBe(1);
    place.done(null);
    (await stays).done(null);
    await expect(limit.take(leaving.signal)).rejects.toMatchObject({ fault: 'cancelled' });
    expect(limit.now()).toMatchObject({ inFlight: 0, waiting: 0 });
  });
});

describe('adapting', () => {
  test('a burst of 429 cuts once, × 0.8; the calls begun after it can cut again; never below 1', async () => {
    const limit = adaptiveLimit({ most: 64, start: 10 });
    const bounds: number[] = [];
    for (let burst = 0; burst < 12; burst++) {
      for (const place of await fill(limit)) place.done(BUSY);
      bounds.push(limit.now().bound);
    }
    expect(bounds).toEqual([8, 6, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('after a cut nobody begins until fewer are in flight than the new bound', async () => {
    const limit = adaptiveLimit({ most: 10 });
    const places = await fill(limit);
    const next = limit.take();
    let granted = false;
    void next.then(() => {
      granted = true;
    });
    places.pop()!.done(BUSY);
    places.pop()!.done(BUSY);
    await settled();
    expect(limit.now()).toEqual({ bound: 8, inFlight: 8, waiting: 1 });
    expect(granted).toBe(false);
    places.pop()!.done(null);
    await next;
  });

  test('grows by one after as many replies as the bound, up to the most', async () => {
    const limit = adaptiveLimit({ most: 6, start: 5 });
    for (const place of await fill(limit)) place.done(BUSY);
    expect(limit.now().bound).toBe(4);
    await replies(limit, 3);
    expect(limit.now().bound).toBe(4);
    await replies(limit, 1);
    expect(limit.now().bound).toBe(5);
    await replies(limit, 5);
    expect(limit.now().bound).toBe(6);
    await replies(limit, 30);
    expect(limit.now().bound).toBe(6);
  });

  test('doubles until the first cut, from 20 or the most', async () => {
    expect(adaptiveLimit({ most: 8 }).now().bound).toBe(8);
    const limit = adaptiveLimit({ most: 100 });
    await replies(limit, 20);
    expect(limit.now().bound).toBe(40);
    await replies(limit, 40);
    await replies(limit, 80);
    expect(limit.now().bound).toBe(100);
  });

  test('learns nothing of a bound that is not used to the full', async () => {
    const limit = adaptiveLimit({ most: 100, start: 10 });
    for (let i = 0; i < 200; i++) {
      const places = [await limit.take(), await limit.take()];
      for (const place of places) place.done(null);
    }
    expect(limit.now().bound).toBe(10);
  });

  test('does not grow for a while after a call that nobody answered', async () => {
    const clock = fakeClock();
    const limit = adaptiveLimit({ most: 100, start: 4, now: clock.now });
    (await limit.take()).done(DOWN);
    await replies(limit, 50);
    expect(limit.now().bound).toBe(4);
    await clock.advance(4_999);
    await replies(limit, 50);
    expect(limit.now().bound).toBe(4);
    await clock.advance(1);
    await replies(limit, 4);
    expect(limit.now().bound).toBe(8);
  });
});

describe('with calls', () => {
  test('finds what an endpoint bears, and gives back every place, however its calls end', async () => {
    for (let seed = 0; seed < 50; seed++) {
      const rng = rngAt('limit', seed);
      const clock = fakeClock();
      const limit = adaptiveLimit({ most: 64, now: clock.now });
      const bears = 4 + rng.int(20);
      let running = 0;
      let highest = 0;
      const endpoint: Llm = async (_, signal) => {
        highest = Math.max(highest, ++running);
        const tooMany = running > bears;
        await clock.sleep(100 + rng.int(1_000));
        running--;
        if (signal?.aborted) throw new LlmError('cancelled', 'cancelled');
        if (tooMany) throw BUSY;
        if (rng.int(100) === 0) throw rng.pick([DOWN, new Error('ours')]);
        return REPLY;
      };
      const llm = withLimit(endpoint, limit);
      let ended = 0;
      const bounds: number[] = [];
      for (let i = 0; i < 1_000; i++) {
        const leaving = new AbortController();
        void llm(REQUEST, leaving.signal)
          .catch(() => {})
          .then(() => {
            ended++;
            if (ended > 500) bounds.push(limit.now().bound);
          });
        if (rng.int(20) === 0) leaving.abort();
      }
      while (ended < 1_000) await clock.advance(1_000);
      expect(limit.now()).toMatchObject({ inFlight: 0, waiting: 0 });
      expect(highest).toBeLessThanOrEqual(64);
      const mean = bounds.reduce((sum, bound) => sum + bound, 0) / bounds.length;
      expect(mean).toBeGreaterThan(bears * 0.7);
      expect(mean).toBeLessThan(bears * 1.5 + 1);
    }
  });
});
