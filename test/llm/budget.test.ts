import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { circuitBreaker } from '../../src/llm/breaker.ts';
import { costOf, withBudget } from '../../src/llm/budget.ts';
import { adaptiveLimit, withLimit } from '../../src/llm/concurrency.ts';
import { openLedger } from '../../src/llm/ledger.ts';
import { type ChatReply, type Llm, LlmError } from '../../src/llm/llm.ts';
import type { Price } from '../../src/llm/profile.ts';
import { withRetry } from '../../src/llm/retry.ts';
import { withBreaker } from '../../src/llm/with-breaker.ts';
import { rngAt } from '../../src/rng.ts';
import { fakeClock } from './fake-clock.ts';
import { REQUEST } from './hello.ts';

const PRICE: Price = { input: 0.3, cachedInput: 0.06, output: 1.2, asOf: '2026-11-01' };
const MOST = { tokensIn: 1_000, tokensOut: 500 };
/** 1,000 × 300 + 500 × 1,200 nano-dollars. */
const MOST_USD = 0.0009;
const reply = (more: Partial<ChatReply> = {}): ChatReply => ({
  message: { role: 'assistant', content: 'hi' },
  finish: 'stop',
  tokensIn: 100,
  tokensOut: 10,
  ...more,
});

function setUp(
  end: () => ChatReply,
  { price = PRICE, usd = null }: { price?: Price | null; usd?: number | null } = {},
) {
  const ledger = openLedger({ limits: { usd, tokens: null }, file: null });
  let calls = 0;
  const endpoint: Llm = async () => {
    calls++;
    return end();
  };
  const llm = withBudget(endpoint, { ledger, price, mostOf: () => MOST, purpose: 'mutator' });
  return { llm, ledger, calls: () => calls };
}

describe('what a call is charged', () => {
  test('its usage, cached input at its own price; the reply says what it cost', async () => {
    const { llm, ledger } = setUp(() => reply({ tokensCached: 40 }));
    // 60 × 300 + 40 × 60 + 10 × 1,200 nano-dollars.
    expect(await llm(REQUEST)).toEqual(reply({ tokensCached: 40, usd: 0.000_032_4 }));
    expect(ledger.totals().by.mutator).toMatchObject({
      calls: 1,
      failed: 0,
      tokensIn: 100,
      tokensOut: 10,
      tokensCached: 40,
      usd: 0.000_032_4,
      atMost: { calls: 0, tokens: 0, usd: 0 },
    });
  });

  test('the most where the reply is unmetered', async () => {
    const { llm, ledger } = setUp(() => reply({ ...MOST, unmetered: true }));
    expect((await llm(REQUEST)).usd).toBe(MOST_USD);
    expect(ledger.totals()).toMatchObject({
      calls: 1,
      failed: 0,
      usd: MOST_USD,
      atMost: { calls: 1, tokens: 1_500, usd: MOST_USD },
    });
  });

  test.each([
    ['the most for an error that was billed', new LlmError('timeout', 'late', { billed: true }), MOST_USD],
    ['nothing for one that was not', new LlmError('busy', 'too many'), 0],
    ['the most for an error that no call should end in', new TypeError('ours'), MOST_USD],
  ])('%s', async (_, error, usd) => {
    const { llm, ledger } = setUp(() => {
      throw error;
    });
    await expect(llm(REQUEST)).rejects.toBe(error);
    expect(ledger.totals()).toMatchObject({
      calls: 1,
      failed: 1,
      usd,
      held: { calls: 0, usd: 0, tokens: 0 },
    });
  });

  test('without a price no dollars, but tokens; and a reply that costs nothing says nothing of cost', async () => {
    const { llm, ledger } = setUp(() => reply({ usd: 7 }), { price: null, usd: 0 });
    expect(await llm(REQUEST)).toEqual(reply());
    expect(ledger.totals()).toMatchObject({ tokensIn: 100, tokensOut: 10, usd: 0 });
  });

  test('a call that may cost more than is left is not made', async () => {
    const { llm, calls } = setUp(() => reply(), { usd: MOST_USD - 1e-9 });
    await expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'budget' });
    expect(calls()).toBe(0);
  });

  test('all of the input can come from a cache that is dearer than plain input', async () => {
    const price = { ...PRICE, cachedInput: 3 };
    const { llm, calls } = setUp(() => reply({ ...MOST, tokensCached: 1_000 }), { price, usd: 0.0036 });
    expect((await llm(REQUEST)).usd).toBe(0.0036);
    await expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'budget' });
    expect(calls()).toBe(1);
  });
});

describe('costs', () => {
  test('are exact in nano-dollars, rounded up', () => {
    expect(costOf({ tokensIn: 1_000_000, tokensOut: 1_000_000 }, PRICE)).toBe(1.5);
    expect(costOf({ tokensIn: 1, tokensOut: 0 }, { ...PRICE, input: 0.0125 })).toBe(1.3e-8);
    expect(costOf({ tokensIn: 10, tokensOut: 0, tokensCached: 99 }, PRICE)).toBe(6e-7);
    expect(costOf({ tokensIn: 5, tokensOut: 5 }, null)).toBe(0);
  });

  test('never more for fewer tokens, whatever the price', () => {
    const tokens = fc.integer({ min: 0, max: 2_000_000 });
    const dollars = fc.double({ min: 0, max: 500, noNaN: true });
    fc.assert(
      fc.property(
        tokens,
        tokens,
        tokens,
        dollars,
        dollars,
        dollars,
        (a, b, cached, input, discount, output) => {
          const price = { input, cachedInput: Math.min(input, discount), output, asOf: '2026-11-01' };
          const [few, many] = [Math.min(a, b), Math.max(a, b)];
          const full = costOf({ tokensIn: many, tokensOut: many }, price);
          expect(costOf({ tokensIn: few, tokensOut: few, tokensCached: cached }, price)).toBeLessThanOrEqual(
            full,
          );
          expect(full).toBe(Math.round(full * 1e9) / 1e9);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('the whole stack', () => {
  test('1,000 runs of up to 64 calls with faults: no overshoot, and the ledger says what the endpoint counted', async () => {
    const seen = { replies: 0, budget: 0, cancelled: 0, lost: 0 };
    for (let seed = 0; seed < 1_000; seed++) await randomRun(seed, seen);
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(500);
  });
});

async function randomRun(seed: number, seen: Record<string, number>): Promise<void> {
  const rng = rngAt('stack', seed);
  const clock = fakeClock();
  const calls = 1 + rng.int(64);
  const limits = {
    usd: rng.int(3) === 0 ? null : rng.int(80) * MOST_USD,
    tokens: rng.int(3) === 0 ? null : rng.int(80) * 1_000,
  };
  const ledger = openLedger({ limits, file: null });
  const breaker = circuitBreaker({ sleep: clock.sleep, now: clock.now });
  const limit = adaptiveLimit({ most: 1 + rng.int(64), now: clock.now });
  const counted = { nanos: 0, tokens: 0, running: 0, over: 0, most: 0 };

  const bill = (tokensIn: number, tokensOut: number, cached = 0) => {
    counted.nanos += (tokensIn - cached) * 300 + cached * 60 + tokensOut * 1_200;
    counted.tokens += tokensIn + tokensOut;
    if (limits.usd !== null && counted.nanos > Math.round(limits.usd * 1e9)) counted.over++;
    if (limits.tokens !== null && counted.tokens > limits.tokens) counted.over++;
  };
  /** An endpoint that keeps its own books. */
  const endpoint: Llm = async (_, signal) => {
    counted.most = Math.max(counted.most, ++counted.running);
    await clock.sleep(rng.int(3_000));
    counted.running--;
    const dice = rng.int(20);
    if (signal?.aborted || dice === 0) {
      bill(MOST.tokensIn, MOST.tokensOut);
      if (signal?.aborted) throw new LlmError('cancelled', 'cancelled', { billed: true });
      throw new LlmError(rng.pick(['garbled', 'timeout', 'unavailable']), 'cut', { billed: true });
    }
    if (dice < 6) throw new LlmError(rng.pick(['busy', 'unavailable', 'connection']), 'no');
    if (dice === 6) {
      bill(MOST.tokensIn, MOST.tokensOut);
      return reply({ ...MOST, unmetered: true });
    }
    const tokensIn = rng.int(MOST.tokensIn + 1);
    const tokensOut = rng.int(MOST.tokensOut + 1);
    const tokensCached = rng.int(tokensIn + 1);
    bill(tokensIn, tokensOut, tokensCached);
    return reply({ tokensIn, tokensOut, tokensCached });
  };
  const paid = withBudget(endpoint, { ledger, price: PRICE, mostOf: () => MOST, purpose: 'agent' });
  const llm = withRetry(withLimit(withBreaker(paid, breaker), limit), {
    attempts: 2,
    baseMs: 1_000,
    capMs: 10_000,
    breaker,
    random: rng.next,
    sleep: clock.sleep,
  });

  let ended = 0;
  let nanos = 0;
  for (let i = 0; i < calls; i++) {
    const leaving = new AbortController();
    if (rng.int(8) === 0) void clock.sleep(rng.int(5_000)).then(() => leaving.abort());
    llm(REQUEST, leaving.signal)
      .then(
        ({ usd = 0 }) => {
          nanos += Math.round(usd * 1e9);
          seen.replies!++;
        },
        ({ fault }: LlmError) => {
          seen[fault === 'budget' || fault === 'cancelled' ? fault : 'lost']!++;
        },
      )
      .finally(() => ended++);
  }
  while (ended < calls) await clock.advance(2_000);

  const totals = ledger.totals();
  expect(counted.over, `seed ${seed}`).toBe(0);
  expect(Math.round(totals.usd * 1e9)).toBe(counted.nanos);
  expect(totals.tokensIn + totals.tokensOut).toBe(counted.tokens);
  expect(nanos).toBeLessThanOrEqual(counted.nanos);
  expect(totals.held).toEqual({ calls: 0, tokens: 0, usd: 0 });
  expect(limit.now()).toMatchObject({ inFlight: 0, waiting: 0 });
  expect(breaker.now().waiting).toBe(0);
  expect(counted.running).toBe(0);
}
