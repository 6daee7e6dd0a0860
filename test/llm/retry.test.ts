import { describe, expect, test } from 'vitest';
import { circuitBreaker } from '../../src/llm/breaker.ts';
import { type ChatRequest, type Fault, type Llm, LlmError } from '../../src/llm/llm.ts';
import { type RetryOptions, withRetry } from '../../src/llm/retry.ts';
import { withBreaker } from '../../src/llm/with-breaker.ts';
import { rngAt } from '../../src/rng.ts';
import { fakeClock } from './fake-clock.ts';
import { REPLY, REQUEST } from './hello.ts';

const fault = (kind: Fault, retryAfterMs: number | null = null) =>
  new LlmError(kind, `it was ${kind}`, { retryAfterMs, billed: true, hint: 'do this' });

/** Fails with each of these in turn, then replies. */
function failing(...errors: Error[]): { llm: Llm; calls(): number } {
  let calls = 0;
  return {
    calls: () => calls,
    llm: async () => {
      const error = errors[calls++];
      if (error) throw error;
      return REPLY;
    },
  };
}

/** Waits are noted and over at once. */
function options(more: Partial<RetryOptions> = {}): RetryOptions & { waits: number[] } {
  const waits: number[] = [];
  return {
    attempts: 5,
    baseMs: 100,
    capMs: 1_000,
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms);
    },
    waits,
    ...more,
  };
}

describe('which calls are made again', () => {
  test.each(['busy', 'unavailable', 'connection', 'timeout', 'garbled'] as const)('%s', async (kind) => {
    const { llm, calls } = failing(fault(kind), fault(kind));
    expect(await withRetry(llm, options())(REQUEST)).toEqual(REPLY);
    expect(calls()).toBe(3);
  });

  const final: Fault[] = [
    'refused',
    'unknown-model',
    'bad-request',
    'too-long',
    'budget',
    'unrecorded',
    'unseen',
    'cancelled',
  ];
  test.each(final)('not %s', async (kind) => {
    const error = fault(kind);
    const { llm, calls } = failing(error);
    await expect(withRetry(llm, options())(REQUEST)).rejects.toBe(error);
    expect(calls()).toBe(1);
  });

  test('not what was waited for long enough, and not our own errors', async () => {
    for (const error of [new LlmError('unavailable', 'down', { gaveUp: true }), new TypeError('ours')]) {
      const { llm, calls } = failing(error);
      await expect(withRetry(llm, options())(REQUEST)).rejects.toBe(error);
      expect(calls()).toBe(1);
    }
  });

  test('the last error is thrown when the attempts are used up, with their number', async () => {
    const errors = (['busy', 'timeout', 'garbled', 'busy', 'unavailable', 'busy'] as const).map((kind) =>
      fault(kind),
    );
    const { llm, calls } = failing(...errors);
    await expect(withRetry(llm, options())(REQUEST)).rejects.toMatchObject({
      fault: 'unavailable',
      message: 'it was unavailable (after 5 attempts)',
      billed: true,
      hint: 'do this',
    });
    expect(calls()).toBe(5);
  });
});

describe('how long it waits', () => {
  test('full jitter: uniform below base × 2^n, at most the cap', async () => {
    const samples: number[][] = [];
    for (let seed = 0; seed < 2_000; seed++) {
      const errors = Array.from({ length: 7 }, () => fault('busy'));
      const { waits, ...rest } = options({ attempts: 8, random: rngAt('jitter', seed).next });
      await withRetry(failing(...errors).llm, rest)(REQUEST);
      samples.push(waits);
    }
    [100, 200, 400, 800, 1_000, 1_000, 1_000].forEach((ceiling, n) => {
      const shares = samples.map((waits) => waits[n]! / ceiling);
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...shares)).toBeLessThan(1);
      // Standard error of a decile's share at 2,000 samples is 0.0067.
      for (let decile = 0; decile < 10; decile++) {
        const share = shares.filter((x) => Math.floor(x * 10) === decile).length / shares.length;
        expect(Math.abs(share - 0.1)).toBeLessThan(0.03);
      }
    });
  });

  test('never less than the endpoint asks for, plus jitter', async () => {
    const { waits, ...rest } = options();
    const { llm } = failing(fault('busy', 30_000), fault('unavailable', 2_000), fault('busy', -5));
    await withRetry(llm, rest)(REQUEST);
    expect(waits).toEqual([30_050, 2_100, 200]);
  });

  test('an endpoint that asks for more than ten minutes is not waited for', async () => {
    const { waits, ...rest } = options();
    const { llm, calls } = failing(fault('busy', 600_000), fault('busy', 600_001));
    await expect(withRetry(llm, rest)(REQUEST)).rejects.toMatchObject({
      fault: 'busy',
      message: 'it was busy (after 2 attempts; it asks to wait 601 s)',
      retryAfterMs: 600_001,
    });
    expect(calls()).toBe(2);
    expect(waits).toEqual([600_050]);
    const first = failing(fault('busy', Number.POSITIVE_INFINITY)).llm;
    await expect(withRetry(first, rest)(REQUEST)).rejects.toMatchObject({ fault: 'busy' });
  });

  test('the signal ends a wait at once, and nothing is called after it', async () => {
    const clock = fakeClock();
    const leaving = new AbortController();
    const { llm, calls } = failing(fault('busy', 1_000));
    const call = withRetry(llm, options({ sleep: clock.sleep }))(REQUEST, leaving.signal);
    const refused = expect(call).rejects.toMatchObject({ fault: 'cancelled', retryable: false });
    await clock.advance(500);
    expect(clock.sleeping()).toBe(1);
    leaving.abort();
    await refused;
    expect(calls()).toBe(1);
    expect(clock.sleeping()).toBe(0);
    await expect(withRetry(llm, options())(REQUEST, leaving.signal)).rejects.toMatchObject({
      fault: 'cancelled',
    });
    expect(calls()).toBe(1);
  });

  test('with the timers of Node, too', async () => {
    const leaving = new AbortController();
    const busy: Llm = async () => {
      setImmediate(() => leaving.abort());
      throw fault('busy', 60_000);
    };
    const patient = withRetry(busy, { attempts: 2, baseMs: 1, capMs: 1 });
    await expect(patient(REQUEST, leaving.signal)).rejects.toMatchObject({ fault: 'cancelled' });
  });
});

describe('beside a breaker', () => {
  const stack = (errors: (number: number, asked: ChatRequest) => LlmError | null, giveUpMs?: number) => {
    const clock = fakeClock();
    const breaker = circuitBreaker({
      failures: 2,
      sleep: clock.sleep,
      now: clock.now,
      ...(giveUpMs ? { giveUpMs } : {}),
    });
    let calls = 0;
    const endpoint: Llm = async (asked) => {
      const error = errors(calls++, asked);
      if (error) throw error;
      return REPLY;
    };
    const llm = withRetry(withBreaker(endpoint, breaker), {
      attempts: 3,
      baseMs: 100,
      capMs: 1_000,
      breaker,
      random: () => 0.5,
      sleep: clock.sleep,
    });
    return { clock, llm, breaker, calls: () => calls };
  };

  test('an outage costs no attempts: the call goes on when the endpoint is back', async () => {
    const { clock, llm, calls } = stack((number) => (number < 12 ? fault('connection') : null));
    const call = llm(REQUEST);
    await clock.advance(3_600_000);
    expect(await call).toEqual(REPLY);
    // 12 that fail, the smallest of requests that shows that it is over, and this one.
    expect(calls()).toBe(14);
  });

  test('a request that a healthy endpoint never answers is no outage: it uses up its attempts', async () => {
    const { clock, llm, breaker } = stack((_, asked) => (asked === REQUEST ? fault('unavailable') : null));
    const call = expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'unavailable', gaveUp: false });
    await clock.advance(60_000);
    await call;
    expect(breaker.now().open).toBe(false);
  });

  test.each([500, 200])(
    'requests that an endpoint always answers with an error (%i) use up their attempts, also side by side',
    async (status) => {
      const error = new LlmError('unavailable', 'it broke', { status });
      const { clock, llm, breaker } = stack((_, asked) => (asked === REQUEST ? error : null));
      const calls = [1, 2, 3].map(() =>
        expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'unavailable', gaveUp: false, fatal: false }),
      );
      await clock.advance(1_200_000);
      await Promise.all(calls);
      expect(await llm({ ...REQUEST })).toEqual(REPLY);
      expect(breaker.now().open).toBe(false);
    },
  );

  test.each([500, 503])('an outage of %i uses up none while the breaker is open', async (status) => {
    const down = new LlmError('unavailable', 'it is down', { status });
    const { clock, llm } = stack((number) => (number < 12 ? down : null));
    const calls = [1, 2, 3].map(() => llm(REQUEST));
    await clock.advance(3_600_000);
    expect(await Promise.all(calls)).toEqual([REPLY, REPLY, REPLY]);
  });

  test('an endpoint that refuses the smallest of requests is back all the same', async () => {
    const { clock, llm } = stack((number, asked) => {
      if (number < 4) return fault('connection');
      return asked === REQUEST ? null : fault('bad-request');
    });
    const call = llm(REQUEST);
    await clock.advance(600_000);
    expect(await call).toEqual(REPLY);
  });

  test('an endpoint that is given up is not tried again', async () => {
    const { clock, llm } = stack(() => fault('unavailable'));
    const call = expect(llm(REQUEST)).rejects.toMatchObject({ gaveUp: true });
    await clock.advance(3_700_000);
    await call;
  });

  test('one request that always takes too long does not keep it open: it uses up its attempts', async () => {
    const { clock, llm, calls } = stack(() => fault('timeout'));
    const call = expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'timeout', gaveUp: false });
    await clock.advance(60_000);
    await call;
    expect(calls()).toBe(3);
  });
});
