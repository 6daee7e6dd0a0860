import { afterEach, describe, expect, it } from 'vitest';
import { costOf, withBudget } from '../../src/llm/budget.ts';
import { type Ledger, openLedger } from '../../src/llm/ledger.ts';
import { type ChatRequest, type Llm, LlmError, type Message } from '../../src/llm/llm.ts';
import { withMendedHistory } from '../../src/llm/mend-history.ts';
import { openaiLlm } from '../../src/llm/openai.ts';
import type { Profile } from '../../src/llm/profile.ts';
import { profileOf } from '../../src/llm/profiles.ts';
import { withRetry } from '../../src/llm/retry.ts';
import { mostOf } from '../../src/llm/wire.ts';
import { rngAt } from '../../src/rng.ts';
import { FAULTS, type FaultServer, fixedAnswer, startFaultServer } from './fault-server.ts';
import { whileItHangs } from './while-it-hangs.ts';

const SEEDS = 25;
const ATTEMPTS = 3;
/** They ask for more patience than any call has: the first refusal is the last. */
const IMPATIENT = ['429-absurd', '429-date'];

const price = { input: 2, cachedInput: 0.5, output: 8, asOf: '2026-11-21' };
const profile: Profile = { ...profileOf('*'), price };

let server: FaultServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** One call of the check: how often it meets its fault before all is well, whether it streams, and what it sends. */
type Case = { seed: number; strikes: number; stream: boolean; request: ChatRequest };

function caseAt(kind: (typeof FAULTS)[number], seed: number): Case {
  const rng = rngAt(seed, kind.kind);
  const request: ChatRequest = {
    model: 'small',
    messages: [{ role: 'user', content: `Say it ${'é'.repeat(rng.int(300))}` }],
    temperature: rng.next() * 2,
    max_tokens: 1 + rng.int(4000),
    seed,
  };
  const stream = kind.only ? kind.only === 'stream' : rng.next() < 0.5;
  // What hangs hangs to the end: a time-out that short is not for honest answers.
  const strikes = kind.ends ? ATTEMPTS : 1 + rng.int(ATTEMPTS + 1);
  return { seed, strikes, stream, request };
}

/** What hangs is ended after this time, by the clock of `whileItHangs`. */
const HANGING_MS = 1000;

/** The whole way of a call, as a run has it, with waiting left out; `sending` hears of every request. */
function caller(
  kind: (typeof FAULTS)[number],
  { strikes, stream }: Case,
  ledger: Ledger,
  sending = () => {},
): Llm {
  let sent = 0;
  const endpoint = openaiLlm({
    baseURL: server!.url,
    apiKey: 'sk-test-0123456789',
    profile,
    stream,
    idleMs: kind.ends === 'idle' ? HANGING_MS : 60_000,
    totalMs: kind.ends === 'total' ? HANGING_MS : 120_000,
    maxChars: kind.kind === 'endless-body' ? 1_000_000 : 16_000_000,
    fetch: (url, init) => {
      sending();
      const base = sent++ < strikes ? server!.urlFor(kind.kind) : server!.url;
      return fetch(String(url).replace(server!.url, base), init);
    },
  });
  const paid = withBudget(endpoint, {
    ledger,
    price,
    mostOf: (request) => mostOf(request, profile, stream),
    purpose: 'agent',
  });
  return withRetry(withMendedHistory(paid), {
    attempts: ATTEMPTS,
    baseMs: 1,
    capMs: 1,
    sleep: async () => {},
  });
}

/** What the server counted, in tokens and dollars. */
function counted(): { tokensIn: number; tokensOut: number; usd: number } {
  const bills = server!.billed();
  return {
    tokensIn: bills.reduce((sum, bill) => sum + bill.tokensIn, 0),
    tokensOut: bills.reduce((sum, bill) => sum + bill.tokensOut, 0),
    // In whole nano-dollars: sums of fractions drift.
    usd: bills.reduce((sum, bill) => sum + Math.round(costOf(bill, price) * 1e9), 0) / 1e9,
  };
}

describe(`${SEEDS} calls each end in the documented class, and the ledger is what the server counted`, () => {
  it.each(FAULTS)('$kind', async (kind) => {
    const ledger = openLedger({ limits: { usd: null, tokens: null }, file: null });
    const met = new Map<unknown, number>();
    let sent = 0;
    let replies = 0;
    const cases = Array.from({ length: SEEDS }, (_, seed) => caseAt(kind, seed));
    server = await startFaultServer({
      plan: (_, { seed }) => {
        const times = met.get(seed) ?? 0;
        met.set(seed, times + 1);
        return times < cases[seed as number]!.strikes && server!.urlFor(kind.kind) === server!.url
          ? kind.kind
          : null;
      },
    });

    const heavy = ['ten-megabytes', 'endless-body'].includes(kind.kind);
    for (let i = 0; i < SEEDS; i += heavy ? 4 : SEEDS) {
      const some = () =>
        Promise.all(
          cases.slice(i, heavy ? i + 4 : SEEDS).map(async (one) => {
            const ask = caller(kind, one, ledger, () => sent++);
            const outcome = await ask(one.request).catch((error: unknown) => error);
            const goesOn =
              kind.fault === 'reply' ||
              (new LlmError(kind.fault, '').retryable &&
                one.strikes < ATTEMPTS &&
                !IMPATIENT.includes(kind.kind));
            if (goesOn) {
              expect(outcome).toMatchObject({ message: { role: 'assistant' } });
              replies++;
            } else {
              expect(outcome).toMatchObject({ name: 'LlmError' });
              expect([kind.fault, kind.orFault]).toContain((outcome as LlmError).fault);
            }
          }),
        );
      await (kind.ends ? whileItHangs(some, () => server!.billed().length === sent, HANGING_MS) : some());
    }

    const { calls, failed, tokensIn, tokensOut, usd, held } = ledger.totals();
    expect({ tokensIn, tokensOut, usd }).toEqual(counted());
    // One entry is one request, whatever became of it.
    expect({ calls, failed }).toEqual({ calls: sent, failed: sent - replies });
    if (server.urlFor(kind.kind) === server.url) expect(server.requests()).toHaveLength(calls);
    expect(held).toEqual({ calls: 0, tokens: 0, usd: 0 });
    ledger.close();
  });
});

it('a history that the endpoint refuses is repaired, and only what was answered is paid for', async () => {
  const ledger = openLedger({ limits: { usd: null, tokens: null }, file: null });
  const broken = (body: object) => JSON.stringify(body).includes("{'path'");
  server = await startFaultServer({
    plan: (_, body) => (broken(body) ? 'bad-tool-call-in-history' : null),
    answer: fixedAnswer,
  });
  const kind = FAULTS.find(({ kind }) => kind === 'bad-tool-call-in-history')!;
  const ask = caller(kind, { ...caseAt(kind, 1), strikes: 0, stream: false }, ledger);
  const messages: Message[] = [
    { role: 'user', content: 'Write it.' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'write_file', arguments: "{'path': 1}" } }],
    },
    { role: 'tool', tool_call_id: 'a', content: 'arguments are not JSON' },
  ];
  for (let i = 0; i < 3; i++) await ask({ model: 'small', messages, max_tokens: 100 });
  expect(server.requests().map(broken)).toEqual([true, false, false, false]);
  const { calls, failed, tokensIn, tokensOut, usd } = ledger.totals();
  expect({ tokensIn, tokensOut, usd }).toEqual(counted());
  expect({ calls, failed }).toEqual({ calls: 4, failed: 1 });
  ledger.close();
});
