import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type Ledger, openLedger, type Reservation, readLedger } from '../../src/llm/ledger.ts';
import type { Actual, Most, Purpose } from '../../src/llm/ledger-book.ts';
import { LlmError } from '../../src/llm/llm.ts';
import { type Rng, rngAt } from '../../src/rng.ts';
import { settled } from './fake-clock.ts';

const WHAT = { purpose: 'agent', model: 'm' } as const;
const PURPOSES: Purpose[] = ['agent', 'mutator', 'critic'];
const NOTHING_HELD = { calls: 0, tokens: 0, usd: 0 };
const most = (tokensIn: number, tokensOut: number, usd: number): Most => ({ tokensIn, tokensOut, usd });

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-ledger-'));
  file = join(dir, 'ledger.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('limits', () => {
  test('a call that does not fit waits for those in flight, and goes when they used less', async () => {
    const ledger = openLedger({ limits: { usd: 1, tokens: null }, file: null });
    const first = await ledger.reserve(most(10, 10, 0.9), WHAT);
    let granted = false;
    const second = ledger.reserve(most(10, 10, 0.5), WHAT).then((reservation) => {
      granted = true;
      return reservation;
    });
    await settled();
    expect(granted).toBe(false);
    first.settle({ tokensIn: 5, tokensOut: 5, tokensCached: 0, usd: 0.5 });
    (await second).settle('nothing');
    expect(ledger.totals()).toMatchObject({ calls: 2, failed: 1, tokensIn: 5, usd: 0.5, held: NOTHING_HELD });
  });

  test('first come, first served: a small call does not overtake a large one', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: 100 }, file: null });
    const first = await ledger.reserve(most(60, 0, 0), WHAT);
    const order: string[] = [];
    const large = ledger.reserve(most(50, 0, 0), WHAT).then((granted) => {
      order.push('large');
      granted.settle('nothing');
    });
    const small = ledger.reserve(most(1, 0, 0), WHAT).then((granted) => {
      order.push('small');
      granted.settle('nothing');
    });
    await settled();
    expect(order).toEqual([]);
    first.settle('nothing');
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
  });

  test('refuses when nothing is in flight, and says what is spent, what the call may cost, and the limit', async () => {
    const ledger = openLedger({ limits: { usd: 2, tokens: 1000 }, file: null });
    (await ledger.reserve(most(100, 100, 1.9), WHAT)).settle('most');
    await expect(ledger.reserve(most(1, 1, 0.1000001), WHAT)).rejects.toMatchObject({
      fault: 'budget',
      limit: 'usd',
      fatal: true,
      message:
        '$1.90 of $2.00 is spent ($1.90 of it is the most that 1 call can have cost, as nothing was said), and the next call may cost $0.1000001',
      hint: expect.stringContaining('--budget-usd'),
    });
    await expect(ledger.reserve(most(700, 101, 0), WHAT)).rejects.toMatchObject({
      fault: 'budget',
      limit: 'tokens',
      message: '200 of 1000 tokens are used, and the next call may take 801',
      hint: expect.stringContaining('--budget-tokens'),
    });
    (await ledger.reserve(most(700, 100, 0.1), WHAT)).settle('most');
    expect(ledger.totals()).toMatchObject({ usd: 2, atMost: { calls: 2, tokens: 1000, usd: 2 } });
  });

  test('a call that can never fit is refused only after those in flight came home', async () => {
    const ledger = openLedger({ limits: { usd: 1, tokens: null }, file: null });
    const first = await ledger.reserve(most(1, 1, 0.5), WHAT);
    let fault = '';
    const hopeless = ledger.reserve(most(1, 1, 5), WHAT).catch((error: LlmError) => {
      fault = error.fault;
    });
    await settled();
    expect(fault).toBe('');
    first.settle('nothing');
    await hopeless;
    expect(fault).toBe('budget');
  });

  test('whoever waits can leave, and the next in the queue goes on', async () => {
    const ledger = openLedger({ limits: { usd: 1, tokens: null }, file: null });
    const first = await ledger.reserve(most(1, 1, 0.5), WHAT);
    const leaving = new AbortController();
    const large = ledger.reserve(most(1, 1, 0.9), WHAT, leaving.signal);
    const small = ledger.reserve(most(1, 1, 0.5), WHAT);
    leaving.abort();
    await expect(large).rejects.toMatchObject({ fault: 'cancelled' });
    await expect(ledger.reserve(most(0, 0, 0), WHAT, leaving.signal)).rejects.toMatchObject({
      fault: 'cancelled',
    });
    (await small).settle('nothing');
    first.settle('nothing');
    expect(ledger.totals().calls).toBe(2);
  });

  test('more than was reserved is recorded as it is, and all after it is refused', async () => {
    const ledger = openLedger({ limits: { usd: 1, tokens: null }, file: null });
    const reservation = await ledger.reserve(most(10, 10, 0.5), WHAT);
    reservation.settle({ tokensIn: 10, tokensOut: 4000, tokensCached: 0, usd: 3 });
    expect(ledger.totals()).toMatchObject({ tokensOut: 4000, usd: 3 });
    await expect(ledger.reserve(most(0, 0, 0), WHAT)).rejects.toMatchObject({ fault: 'budget' });
  });

  test('a second settlement changes nothing; figures that are none count as the most', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file: null });
    const reservation = await ledger.reserve(most(10, 20, 0.5), WHAT);
    const nonsense = { tokensIn: Number.NaN, tokensOut: -3, tokensCached: 0.5, usd: 0 };
    expect(reservation.settle(nonsense)).toBe(0.5);
    expect(reservation.settle('nothing')).toBe(0.5);
    expect(ledger.totals()).toMatchObject({ calls: 1, failed: 0, tokensIn: 10, tokensOut: 20, usd: 0.5 });
    await expect(ledger.reserve(most(-1, 0, 0), WHAT)).rejects.toThrow('-1');
    await expect(ledger.reserve(most(1, 0, Number.NaN), WHAT)).rejects.toThrow();
  });

  test('sums neither drift nor depend on the order', async () => {
    const costs = Array.from({ length: 3000 }, (_, i) => rngAt('cost', i).next() / 1000);
    const sum = async (order: number[]) => {
      const ledger = openLedger({ limits: { usd: null, tokens: null }, file: null });
      for (const usd of order) (await ledger.reserve(most(0, 0, usd), WHAT)).settle('most');
      return ledger.totals().usd;
    };
    const exact = costs.reduce((nanos, usd) => nanos + BigInt(Math.round(usd * 1e9)), 0n);
    expect(await sum(costs)).toBe(Number(exact) / 1e9);
    expect(await sum([...costs].reverse())).toBe(Number(exact) / 1e9);
  });
});

describe('random runs of concurrent calls', () => {
  test('1,000 runs: no limit is passed at any moment, nothing stays held, and the file says the same', async () => {
    const seen = { granted: 0, refused: 0, cancelled: 0, waited: 0 };
    for (let seed = 0; seed < 1000; seed++) await randomRun(seed, join(dir, `${seed}.jsonl`), seen);
    // The runs are worth something only if all of it happens, often.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(1000);
  });
});

/** The books as the test keeps them, in nano-dollars and tokens. */
type Own = { usd: number; tokens: number };

async function randomRun(seed: number, path: string, seen: Record<string, number>): Promise<void> {
  const rng = rngAt('ledger', seed);
  const calls = 1 + rng.int(64);
  const limits = {
    usd: rng.int(4) === 0 ? null : rng.int(2_000_000) / 1e7,
    tokens: rng.int(4) === 0 ? null : rng.int(60_000),
  };
  const ledger = openLedger({ limits, file: path });
  const spent: Own = { usd: 0, tokens: 0 };
  const held: Own = { usd: 0, tokens: 0 };
  const inFlight: { most: Most; reservation: Reservation }[] = [];
  const waiting = new Map<number, AbortController>();
  let ended = 0;

  const checkLimits = () => {
    const { usd, tokensIn, tokensOut, held: theirs } = ledger.totals();
    const nanos = Math.round((usd + theirs.usd) * 1e9);
    const tokens = tokensIn + tokensOut + theirs.tokens;
    const wrong = [
      Math.round(usd * 1e9) !== spent.usd && 'dollars',
      tokensIn + tokensOut !== spent.tokens && 'tokens',
      // The ledger grants before the caller hears of it: it may hold more than the test knows, never less.
      (theirs.tokens < held.tokens || theirs.usd * 1e9 < held.usd - 0.5) && 'held',
      limits.usd !== null && nanos > Math.round(limits.usd * 1e9) && 'limit of dollars',
      limits.tokens !== null && tokens > limits.tokens && 'limit of tokens',
    ].filter(Boolean);
    // One assertion for all: this runs a hundred thousand times.
    if (wrong.length > 0) expect.fail(`seed ${seed}: ${wrong.join(', ')}`);
  };
  const begin = (id: number) => {
    const call = most(rng.int(3000), rng.int(3000), rng.int(20_000_000) / 1e9);
    const leaving = new AbortController();
    waiting.set(id, leaving);
    const what = { purpose: rng.pick(PURPOSES), model: 'm' };
    ledger.reserve(call, what, leaving.signal).then(
      (reservation) => {
        seen.granted!++;
        count(held, call, 1);
        inFlight.push({ most: call, reservation });
        waiting.delete(id);
      },
      (error: LlmError) => {
        expect(['budget', 'cancelled']).toContain(error.fault);
        seen[error.fault === 'budget' ? 'refused' : 'cancelled']!++;
        waiting.delete(id);
        ended++;
      },
    );
  };
  const end = () => {
    const [call] = inFlight.splice(rng.int(inFlight.length), 1);
    count(held, call!.most, -1);
    const actual = randomEnd(call!.most, rng);
    count(spent, actual === 'most' ? call!.most : actual === 'nothing' ? most(0, 0, 0) : actual, 1);
    call!.reservation.settle(actual);
    ended++;
  };

  for (let begun = 0; ended < calls; ) {
    const dice = rng.int(10);
    if (dice < 5 && begun < calls) begin(begun++);
    else if (dice < 9 && inFlight.length > 0) end();
    else if (dice === 9 && waiting.size > 0) rng.pick([...waiting.values()]).abort();
    checkLimits();
    if (rng.int(3) > 0 || begun === calls) await settled();
    if (inFlight.length > 0) seen.waited! += waiting.size;
  }
  checkLimits();
  const totals = ledger.totals();
  expect(totals.held).toEqual(NOTHING_HELD);
  expect(held).toEqual({ usd: 0, tokens: 0 });
  ledger.close();
  if (totals.calls > 0) expect(readLedger(path)).toEqual(totals);
  const again = openLedger({ limits, file: path });
  expect(again.totals()).toEqual(totals);
  again.close();
}

function count(own: Own, amount: Most, sign: 1 | -1): void {
  own.usd += sign * Math.round(amount.usd * 1e9);
  own.tokens += sign * (amount.tokensIn + amount.tokensOut);
}

function randomEnd(call: Most, rng: Rng): Actual | 'nothing' | 'most' {
  if (rng.int(5) === 0) return rng.pick(['nothing', 'most']);
  const tokensIn = rng.int(call.tokensIn + 1);
  const usd = rng.int(Math.round(call.usd * 1e9) + 1) / 1e9;
  return { tokensIn, tokensOut: rng.int(call.tokensOut + 1), tokensCached: rng.int(tokensIn + 1), usd };
}

describe('file', () => {
  test('the line of a call stands there before the call is granted', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file });
    const reservation = await ledger.reserve(most(12, 34, 0.000_000_3), { purpose: 'critic', model: 'm"1' });
    expect(lines()).toMatchObject([
      {
        n: 1,
        at: expect.stringMatching(/Z$/),
        purpose: 'critic',
        model: 'm"1',
        most: { tokensIn: 12, usd: 3e-7 },
      },
    ]);
    reservation.settle({ tokensIn: 10, tokensOut: 3, tokensCached: 4, usd: 0.000_000_1 });
    expect(lines()[1]).toMatchObject({
      n: 1,
      tokensIn: 10,
      tokensOut: 3,
      tokensCached: 4,
      usd: 1e-7,
      basis: 'usage',
    });
    ledger.close();
    expect(ledger.totals().by.critic).toMatchObject({ calls: 1, tokensCached: 4, usd: 1e-7 });
    expect(ledger.totals().by.agent.calls).toBe(0);
  });

  test('cut at any byte, it counts what is whole, and open reservations in full; and it goes on from there', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file });
    const open: Reservation[] = [];
    for (let i = 1; i <= 5; i++) {
      const purpose = PURPOSES[i % 3]!;
      open.push(await ledger.reserve(most(100 * i, 10 * i, i / 1000), { purpose, model: 'm' }));
      if (i % 2 === 0) open[i - 2]!.settle({ tokensIn: i, tokensOut: i, tokensCached: 0, usd: i / 1e6 });
    }
    open[1]!.settle('nothing');
    open[3]!.settle('most');
    ledger.close();
    const bytes = readFileSync(file);
    for (let length = 0; length <= bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      writeFileSync(file, cut);
      const expected = plainSum(cut.toString().split('\n').slice(0, -1));
      expect(readLedger(file)).toMatchObject(expected);
      const again = openLedger({ limits: { usd: null, tokens: null }, file });
      expect(again.totals()).toMatchObject({ ...expected, held: NOTHING_HELD });
      (await again.reserve(most(1, 0, 0), WHAT)).settle('most');
      again.close();
      expect(readLedger(file)!.calls).toBe(expected.calls + 1);
    }
  });

  test('what a process that died had in flight counts against the limits of the next', async () => {
    const limits = { usd: 1, tokens: null };
    const died = openLedger({ limits, file });
    await died.reserve(most(10, 10, 0.75), WHAT);
    died.close();
    const ledger = openLedger({ limits, file });
    expect(ledger.totals()).toMatchObject({
      calls: 1,
      failed: 1,
      usd: 0.75,
      atMost: { calls: 1, usd: 0.75 },
    });
    await expect(ledger.reserve(most(1, 1, 0.26), WHAT)).rejects.toMatchObject({ fault: 'budget' });
    (await ledger.reserve(most(1, 1, 0.25), WHAT)).settle('nothing');
    ledger.close();
    expect(readLedger(file)).toMatchObject({ calls: 2, usd: 0.75, by: { agent: { failed: 2 } } });
  });

  test('what a power cut left of the end, a hole of zero bytes, is dropped', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file });
    for (let i = 0; i < 3; i++) (await ledger.reserve(most(1, 1, 0.1), WHAT)).settle('most');
    ledger.close();
    const bytes = readFileSync(file);
    const lastLine = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
    const holes: [string, Buffer, number][] = [
      ['behind the lines', Buffer.concat([bytes, Buffer.alloc(5000)]), 3],
      ['in place of the last lines', Buffer.from(bytes).fill(0, bytes.indexOf('\n') + 1), 1],
      ['in the last line', Buffer.from(bytes).fill(0, lastLine + 5, bytes.length - 9), 3],
    ];
    for (const [what, left, calls] of holes) {
      writeFileSync(file, left);
      expect(readLedger(file), what).toMatchObject({ calls });
      const again = openLedger({ limits: { usd: null, tokens: null }, file });
      (await again.reserve(most(1, 1, 0.1), WHAT)).settle('nothing');
      again.close();
      expect(readLedger(file), what).toMatchObject({ calls: calls + 1 });
    }
    writeFileSync(file, Buffer.from(bytes).fill(0, lastLine - 20, lastLine - 5));
    expect(thrownBy(() => readLedger(file))).toMatchObject({
      exitCode: 5,
      message: expect.stringContaining('line 5'),
    });
  });

  test('any other damage is refused with the number of the line', async () => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file });
    for (let i = 0; i < 3; i++) (await ledger.reserve(most(1, 1, 0.1), WHAT)).settle('most');
    ledger.close();
    const whole = readFileSync(file, 'utf8').split('\n');
    const damage: [string, string[], number][] = [
      ['another figure', whole.with(3, whole[3]!.replace('0.1', '0.0')), 4],
      ['a line missing', whole.toSpliced(2, 1), 3],
      ['a line twice', whole.toSpliced(1, 0, whole[1]!), 3],
      ['no JSON', whole.with(1, '{"n":'), 2],
      ['an empty line', whole.toSpliced(4, 0, ''), 5],
      ['a bad last line that is whole', [...whole.slice(0, -1), 'x', ''], 7],
    ];
    for (const [what, bad, line] of damage) {
      writeFileSync(file, bad.join('\n'));
      for (const read of [
        () => readLedger(file),
        () => openLedger({ limits: { usd: 1, tokens: 1 }, file }),
      ]) {
        const error = thrownBy(read);
        expect(error, what).toBeInstanceOf(UserError);
        expect(error).toMatchObject({
          exitCode: 5,
          message: expect.stringContaining(`line ${line} is damaged`),
        });
      }
    }
  });

  test('no file is no ledger; a place that cannot be written is the user’s matter', () => {
    expect(readLedger(file)).toBeNull();
    expect(existsSync(file)).toBe(false);
    writeFileSync(join(dir, 'plain'), '');
    const error = thrownBy(() =>
      openLedger({ limits: { usd: 1, tokens: 1 }, file: join(dir, 'plain', 'x') }),
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ exitCode: 2 });
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk grants nothing, now and later', async () => {
    const ledger: Ledger = openLedger({ limits: { usd: 1, tokens: 10 }, file: '/dev/full' });
    for (let i = 0; i < 2; i++) {
      const refused = await ledger.reserve(most(1, 1, 0.1), WHAT).catch((error: LlmError) => error);
      expect(refused).toBeInstanceOf(LlmError);
      expect(refused).toMatchObject({
        fault: 'unrecorded',
        fatal: true,
        retryable: false,
        hint: expect.stringContaining('give the same command again'),
      });
      expect((refused as LlmError).message).toContain('ENOSPC');
    }
    expect(ledger.totals()).toMatchObject({ calls: 0, held: NOTHING_HELD });
    ledger.close();
  });

  test.runIf(existsSync('/proc/self/fd'))(
    'lets go of the file, also while it is brought to the disk',
    async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const ledger = openLedger({ limits: { usd: null, tokens: null }, file });
        (await ledger.reserve(most(1, 1, 0.1), WHAT)).settle('most');
        vi.advanceTimersByTime(1000);
        (await ledger.reserve(most(1, 1, 0.1), WHAT)).settle('most');
        ledger.close();
      } finally {
        vi.useRealTimers();
      }
      const held = () =>
        readdirSync('/proc/self/fd').filter((fd) => {
          const link = `/proc/self/fd/${fd}`;
          return existsSync(link) && readlinkSync(link) === file;
        });
      await vi.waitFor(() => expect(held()).toEqual([]), 30_000);
      expect(readLedger(file)).toMatchObject({ calls: 2 });
    },
  );

  test('closed, it refuses whoever waits', async () => {
    const ledger = openLedger({ limits: { usd: 1, tokens: null }, file });
    const first = await ledger.reserve(most(1, 1, 1), WHAT);
    const second = ledger.reserve(most(1, 1, 1), WHAT);
    ledger.close();
    await expect(second).rejects.toMatchObject({ fault: 'cancelled' });
    first.settle('nothing');
    ledger.close();
    expect(readLedger(file)).toMatchObject({ calls: 1, usd: 1 });
    appendFileSync(file, '{"n":2,"at":"20');
    expect(readLedger(file)).toMatchObject({ calls: 1, usd: 1 });
  });

  const lines = () => {
    const text = readFileSync(file, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  };
});

/** What whole lines come to, by the plainest arithmetic. */
function plainSum(lines: string[]) {
  const ends = new Map<number, Most>();
  for (const line of lines.map((text) => JSON.parse(text))) ends.set(line.n, line.most ?? line);
  const all = [...ends.values()];
  return {
    calls: all.length,
    tokensIn: all.reduce((sum, end) => sum + end.tokensIn, 0),
    tokensOut: all.reduce((sum, end) => sum + end.tokensOut, 0),
    usd: all.reduce((sum, end) => sum + Math.round(end.usd * 1e9), 0) / 1e9,
  };
}

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return null;
}
