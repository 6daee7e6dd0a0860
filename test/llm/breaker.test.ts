import { describe, expect, test } from 'vitest';
import { type Breaker, circuitBreaker, type Passage } from '../../src/llm/breaker.ts';
import { adaptiveLimit, withLimit } from '../../src/llm/concurrency.ts';
import { type Fault, type Llm, LlmError } from '../../src/llm/llm.ts';
import { withRetry } from '../../src/llm/retry.ts';
import { withBreaker } from '../../src/llm/with-breaker.ts';
import { rngAt } from '../../src/rng.ts';
import { fakeClock, settled } from './fake-clock.ts';
import { REPLY, REQUEST } from './hello.ts';

const fault = (kind: Fault) => new LlmError(kind, `it was ${kind}`);
const DOWN = fault('connection');

function setUp(options: { failures?: number; giveUpMs?: number } = {}) {
  const clock = fakeClock();
  const log: string[] = [];
  const breaker = circuitBreaker({
    failures: 3,
    ...options,
    sleep: clock.sleep,
    now: clock.now,
    onPause: (reason) => log.push(`pause at ${clock.now()}: ${reason}`),
    onResume: (pausedMs) => log.push(`resume after ${pausedMs}`),
  });
  return { clock, log, breaker };
}

/** Opens it: three calls in a row that nobody answers. */
async function open(breaker: Breaker): Promise<void> {
  for (let i = 0; i < 3; i++) (await breaker.pass()).saw(DOWN);
  expect(breaker.now().open).toBe(true);
}

/** A caller, and what has become of it so far. */
function caller(breaker: Breaker, signal?: AbortSignal) {
  const state: { passage: Passage | null; error: LlmError | null } = { passage: null, error: null };
  breaker.pass(signal).then(
    (passage) => {
      state.passage = passage;
    },
    (error: LlmError) => {
      state.error = error;
    },
  );
  return state;
}

describe('what opens it', () => {
  test.each(['unavailable', 'connection', 'timeout'] as const)('%s in a row', async (kind) => {
    const { breaker, log } = setUp();
    for (let i = 0; i < 2; i++) (await breaker.pass()).saw(fault(kind));
    expect(breaker.now().open).toBe(false);
    (await breaker.pass()).saw(fault(kind));
    expect(breaker.now()).toMatchObject({ open: true });
    expect(log).toEqual([`pause at 0: it was ${kind}`]);
  });

  test.each(['busy', 'bad-request', 'too-long', 'refused', 'unknown-model', 'garbled', null] as const)(
    '%s in between shows that it lives',
    async (kind) => {
      const { breaker } = setUp();
      for (let i = 0; i < 20; i++) {
        (await breaker.pass()).saw(i % 3 === 2 ? kind && fault(kind) : DOWN);
      }
      expect(breaker.now().open).toBe(false);
    },
  );

  test.each(['budget', 'unrecorded', 'cancelled', 'unseen'] as const)(
    '%s says nothing of it',
    async (kind) => {
      const { breaker } = setUp();
      for (let i = 0; i < 20; i++) (await breaker.pass()).saw(fault(kind));
      expect(breaker.now().open).toBe(false);
      (await breaker.pass()).saw(DOWN);
      (await breaker.pass()).saw(DOWN);
      (await breaker.pass()).saw(fault(kind));
      (await breaker.pass()).saw(new Error('ours'));
      (await breaker.pass()).saw(DOWN);
      expect(breaker.now().open).toBe(true);
    },
  );

  test('calls of before a recovery that fail after it do not open it again', async () => {
    const { breaker, clock } = setUp();
    const old = await Promise.all(Array.from({ length: 20 }, () => breaker.pass()));
    for (const passage of old.slice(0, 3)) passage.saw(DOWN);
    const probe = caller(breaker);
    await clock.advance(5_000);
    probe.passage!.saw(null);
    for (const passage of old.slice(3)) passage.saw(DOWN);
    expect(breaker.now().open).toBe(false);
  });
});

describe('while it is open', () => {
  test('nobody passes before the pause is over, then one alone, and all after its reply, in order', async () => {
    const { breaker, clock, log } = setUp();
    await open(breaker);
    const callers = [1, 2, 3, 4].map(() => caller(breaker));
    await clock.advance(4_999);
    expect(callers.map(({ passage }) => passage !== null)).toEqual([false, false, false, false]);
    await clock.advance(1);
    expect(callers.map(({ passage }) => passage !== null)).toEqual([true, false, false, false]);
    await clock.advance(100_000);
    expect(callers.map(({ passage }) => passage !== null)).toEqual([true, false, false, false]);
    callers[0]!.passage!.saw(null);
    await settled();
    expect(callers.map(({ passage }) => passage !== null)).toEqual([true, true, true, true]);
    expect(log).toEqual(['pause at 0: it was connection', 'resume after 105000']);
    expect(breaker.now()).toEqual({ open: false, waiting: 0 });
    expect(clock.sleeping()).toBe(0);
  });

  test('each probe that fails doubles the pause, up to the longest, and the next caller is the next probe', async () => {
    const { breaker, clock } = setUp();
    await open(breaker);
    const callers = Array.from({ length: 7 }, () => caller(breaker));
    const probedAt: number[] = [];
    for (let seconds = 0; seconds < 300; seconds++) {
      await clock.advance(1_000);
      const probe = callers.find(({ passage }) => passage !== null);
      if (!probe) continue;
      expect(probe).toBe(callers[0]);
      callers.shift();
      probedAt.push(clock.now());
      probe.passage!.saw(DOWN);
    }
    expect(probedAt).toEqual([5, 15, 35, 75, 135, 195, 255].map((seconds) => seconds * 1000));
  });

  test('a caller who comes after the pause is the probe at once', async () => {
    const { breaker, clock } = setUp();
    await open(breaker);
    await clock.advance(6_000);
    const first = caller(breaker);
    const second = caller(breaker);
    await settled();
    expect([first.passage !== null, second.passage !== null]).toEqual([true, false]);
  });

  test('an answer to a call of before it opened closes it', async () => {
    const { breaker } = setUp();
    const early = await breaker.pass();
    await open(breaker);
    const waiting = caller(breaker);
    early.saw(fault('busy'));
    await settled();
    expect(waiting.passage).not.toBeNull();
    expect(breaker.now().open).toBe(false);
  });

  test('a probe that is cancelled, or had no money, leaves its turn to the next', async () => {
    const { breaker, clock } = setUp();
    await open(breaker);
    const callers = [1, 2, 3].map(() => caller(breaker));
    await clock.advance(5_000);
    callers[0]!.passage!.saw(fault('cancelled'));
    await settled();
    callers[1]!.passage!.saw(fault('budget'));
    await settled();
    expect(callers[2]!.passage).not.toBeNull();
    callers[2]!.passage!.saw(new Error('ours'));
    // Nobody was left to take the turn: it waits for the next caller, who need not wait.
    const next = caller(breaker);
    await settled();
    next.passage!.saw(null);
    expect(breaker.now().open).toBe(false);
  });

  test('the end of a call of before it opened does not end the probe', async () => {
    const { breaker, clock } = setUp();
    const early = await breaker.pass();
    await open(breaker);
    const [probe, next] = [caller(breaker), caller(breaker)];
    await clock.advance(5_000);
    early.saw(fault('cancelled'));
    await clock.advance(60_000);
    expect(probe.passage).not.toBeNull();
    expect(next.passage).toBeNull();
  });

  test('whoever waits can leave; with nobody waiting no timer is left', async () => {
    const { breaker, clock } = setUp();
    await open(breaker);
    expect(clock.sleeping()).toBe(0);
    const leaving = new AbortController();
    const callers = [caller(breaker, leaving.signal), caller(breaker, leaving.signal)];
    await settled();
    expect(clock.sleeping()).toBe(1);
    leaving.abort();
    await settled();
    for (const { error } of callers) expect(error).toMatchObject({ fault: 'cancelled' });
    expect(clock.sleeping()).toBe(0);
    expect(breaker.now().waiting).toBe(0);
    const late = caller(breaker, leaving.signal);
    const stays = caller(breaker);
    await clock.advance(5_000);
    expect(late.error).toMatchObject({ fault: 'cancelled' });
    expect(stays.passage).not.toBeNull();
  });
});

describe('giving up', () => {
  test('down for too long: all who wait and all who come are refused, for good', async () => {
    const { breaker, clock } = setUp();
    await open(breaker);
    const callers = Array.from({ length: 200 }, () => caller(breaker));
    const failProbes = () => {
      for (const each of callers) each.passage?.saw(DOWN);
    };
    while (clock.now() < 3_599_000) {
      await clock.advance(1_000);
      failProbes();
    }
    expect(callers.some(({ error }) => error !== null)).toBe(false);
    await clock.advance(1_000);
    failProbes();
    await settled();
    const refused = callers.filter(({ passage }) => passage === null);
    expect(refused.length).toBeGreaterThan(100);
    for (const { error } of refused) {
      expect(error).toMatchObject({ fault: 'unavailable', retryable: false, fatal: true });
      expect(error!.message).toBe('the endpoint did not answer for 1 h: it was connection');
    }
    await expect(breaker.pass()).rejects.toMatchObject({ gaveUp: true });
    expect(clock.sleeping()).toBe(0);
  });
});

describe('with calls', () => {
  test('inside a limit: calls that queue for a place do not run into an endpoint that is down', async () => {
    const { breaker, clock } = setUp();
    let calls = 0;
    const endpoint: Llm = async () => {
      calls++;
      await clock.sleep(100);
      if (clock.now() < 60_000) throw DOWN;
      return REPLY;
    };
    const llm = withRetry(withLimit(withBreaker(endpoint, breaker), adaptiveLimit({ most: 4 })), {
      attempts: 3,
      baseMs: 1_000,
      capMs: 10_000,
      breaker,
      random: () => 0.5,
      sleep: clock.sleep,
    });
    const replies = Promise.all(Array.from({ length: 40 }, () => llm(REQUEST)));
    await clock.advance(30_000);
    // Four at once until it opened, then the probes after 5, 10 and 20 s.
    expect(calls).toBeLessThanOrEqual(10);
    await clock.advance(120_000);
    expect(await replies).toHaveLength(40);
  });

  test('64 callers at an endpoint that fails and recovers at random: each gets its reply, and none is stuck', async () => {
    let probed = 0;
    for (let seed = 0; seed < 100; seed++) {
      const rng = rngAt('breaker', seed);
      const { breaker, clock, log } = setUp();
      let up = false;
      const out = new Map<number, number>();
      let mostTogether = 0;
      const endpoint: Llm = async (_, signal) => {
        // By outage: a probe of an earlier one may still be on its way.
        const outage = breaker.now().open ? log.length : 0;
        const probes = (out.get(outage) ?? 0) + 1;
        out.set(outage, probes);
        if (outage > 0) mostTogether = Math.max(mostTogether, probes);
        await clock.sleep(rng.int(2_000));
        out.set(outage, out.get(outage)! - 1);
        if (signal?.aborted) throw fault('cancelled');
        if (!up) throw fault(rng.pick(['unavailable', 'connection', 'timeout']));
        return REPLY;
      };
      const llm = withBreaker(endpoint, breaker);
      const ends: string[] = [];
      const call = async () => {
        const leaving = new AbortController();
        for (let tries = 0; tries < 1_000; tries++) {
          if (rng.int(30) === 0) setImmediate(() => leaving.abort());
          try {
            await llm(REQUEST, leaving.signal);
            return ends.push('reply');
          } catch (error) {
            if ((error as LlmError).fault === 'cancelled') return ends.push('cancelled');
            await clock.sleep(rng.int(500));
          }
        }
        return ends.push('stuck');
      };
      for (let i = 0; i < 64; i++) void call();
      for (let seconds = 0; seconds < 600 && ends.length < 64; seconds += 5) {
        up = seconds > 300 || rng.int(3) === 0;
        await clock.advance(5_000);
      }
      expect(ends.length).toBe(64);
      expect(ends).not.toContain('stuck');
      expect(mostTogether).toBeLessThanOrEqual(1);
      probed += mostTogether;
    }
    expect(probed).toBeGreaterThan(50);
  });
});
