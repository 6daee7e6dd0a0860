import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import path from 'node:path';
import { costOf } from '../../src/llm/budget.ts';
import type { LedgerLine, Reserved, Settled } from '../../src/llm/ledger-book.ts';
import { readLedgerFile } from '../../src/llm/ledger-file.ts';
import type { Price } from '../../src/llm/profile.ts';
import { profileOf } from '../../src/llm/profiles.ts';
import { type KnownFault, sendCompletion } from '../llm/fault-answers.ts';
import { type Completion, rawBody } from '../llm/fault-server.ts';
import { quietPort } from '../llm/quiet-port.ts';
import { offlineAnswer, roleOf } from './endpoint.ts';

/** Known by name and priced; a stand-in answers in its place. It takes a seed, and every gene can be said to it. */
export const MODEL = 'gpt-4.1-mini';
export const PRICE: Price = profileOf(MODEL).price!;

/** A request for a completion, and what the endpoint would put on the bill for it. */
export type Call = {
  /** The whole body: equal requests have equal texts. */
  raw: string;
  model: string;
  role: 'agent' | 'mutator' | 'critic';
  /** The kind of fault that it met; null for an answer as it should be. */
  fault: string | null;
  /** Tokens that were charged for. */
  tokensIn: number;
  tokensOut: number;
  /** Whether the answer was handed to the network before anybody hung up. */
  ended: boolean;
};

export type Told = {
  /** Names in the list of models. */
  models?: readonly string[];
  /** What request n, from 0 in order of arrival, meets; null for an answer as it should be. */
  meets?: (n: number, call: Call) => KnownFault | null;
  /** Every answer uses as much as it can: a token a byte of the request, and all that the reply may have. */
  costly?: boolean;
  /** Until a request is answered: a time in ms, or a promise to wait for. */
  after?: (n: number) => number | Promise<unknown>;
  /**
   * Answers to the agent wait, once, until `count` of its requests wait, or none has come for a minute. Up to there as
   * many are answered, one by one, as a client needs that begins with 20 calls at once and finds by replies, all of its
   * places in use, that it may make more: whatever is slow on its side, and for however long.
   */
  gather?: { count: number; complete?: () => void };
};

/** A loopback endpoint with books of its own, for whole runs. */
export type ModelEndpoint = {
  /** The base URL, with `/v1`; stays the same through `down` and `up`. */
  url: string;
  env: Record<string, string>;
  calls: Call[];
  /** All `Authorization` headers that came, also with a question for the list of models. */
  keys(): ReadonlySet<string>;
  /** The most requests that were waiting for their answers at the same time. */
  mostAtOnce(): number;
  /** What was charged in all. */
  bill(price?: Price): { calls: number; tokensIn: number; tokensOut: number; usd: number };
  /** Frees the port and breaks every connection. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
};

/** The key that runs give to the endpoints of these tests. */
export const KEY = 'key-of-the-first-endpoint';

/** Starts an endpoint that answers as the offline model does, by whatever name, and keeps its own books. */
export async function startModel(told: Told = {}): Promise<ModelEndpoint> {
  const { models = [MODEL], meets, after, gather, costly = false } = told;
  const calls: Call[] = [];
  const keys = new Set<string>();
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  // Nobody else may have it while this one is down.
  const port = await quietPort();
  let waiting = 0;
  let most = 0;
  const gathering = gather ? gatherer(gather) : null;

  const listen = async () => {
    server = createServer(async (req, res) => {
      keys.add(req.headers.authorization ?? '');
      if (req.url === '/v1/models') {
        res.writeHead(200, { 'content-type': 'application/json' });
        res.end(JSON.stringify({ data: models.map((id) => ({ id, object: 'model' })) }));
        return;
      }
      const raw = (await rawBody(req))?.toString();
      if (raw === undefined) return;
      const body = JSON.parse(raw);
      const call: Call = {
        ...{ raw, model: body.model, role: roleOf(body) },
        ...{ fault: null, tokensIn: 0, tokensOut: 0, ended: false },
      };
      const n = calls.push(call) - 1;
      const timers = new Set<NodeJS.Timeout>();
      most = Math.max(most, ++waiting);
      // Once the answer goes out, or nobody waits for it: the client may ask again before the connection says so here.
      let waits = true;
      const served = () => {
        if (waits) waiting--;
        waits = false;
      };
      res.on('close', () => {
        served();
        for (const timer of timers) clearInterval(timer);
      });
      if (call.role === 'agent') await gathering?.wait();
      const pause = after?.(n) ?? 0;
      if (typeof pause !== 'number') await pause;
      else if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      const fault = meets?.(n, call) ?? null;
      const completion = offlineAnswer(body);
      if (costly) {
        const { tokensIn, tokensOut } = mostOf(raw, body);
        completion.usage = { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: 0 };
      }
      const every = (ms: number, act: () => void) => void timers.add(setInterval(act, ms));
      Object.assign(call, charged(fault, completion, raw, body), { fault: fault?.kind ?? null });
      if (res.destroyed) return;
      served();
      if (fault) fault.send({ req, res, body, completion, every });
      else sendCompletion({ req, res, body, completion, every }, completion);
      call.ended = fault === null;
    });
    server.keepAliveTimeout = 65_000;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {});
    });
    await new Promise<void>((resolve, reject) => {
      server!.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  };
  const down = async () => {
    const closing = server;
    server = null;
    gathering?.close();
    if (!closing) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await listen();
  const url = `http://127.0.0.1:${port}/v1`;
  return {
    url,
    env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: KEY },
    calls,
    keys: () => keys,
    mostAtOnce: () => most,
    bill(price = PRICE) {
      const sum = { calls: calls.length, tokensIn: 0, tokensOut: 0, usd: 0 };
      for (const call of calls) {
        sum.tokensIn += call.tokensIn;
        sum.tokensOut += call.tokensOut;
        sum.usd += costOf(call, price);
      }
      return { ...sum, usd: Math.round(sum.usd * 1e9) / 1e9 };
    },
    down,
    up: listen,
    close: down,
  };
}

/** Whoever waits, goes on in the order of arrival; see `Told.gather`. */
function gatherer({ count, complete }: NonNullable<Told['gather']>) {
  const waiting: (() => void)[] = [];
  let bound = Math.min(20, count);
  let answered = 0;
  let over = false;
  let overdue: NodeJS.Timeout | undefined;
  const end = () => {
    over = true;
    clearTimeout(overdue);
    for (const go of waiting.splice(0)) go();
  };
  const arrived = () => {
    clearTimeout(overdue);
    if (waiting.length >= count) {
      complete?.();
      return end();
    }
    overdue = setTimeout(end, 60_000);
    if (bound === count || waiting.length < bound) return;
    waiting.shift()!();
    if (++answered < bound) return;
    bound = Math.min(count, 2 * bound);
    answered = 0;
  };
  return {
    wait(): Promise<void> {
      if (over) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
        arrived();
      });
    },
    close: end,
  };
}

/** A run's ledger: calls that ended, by number, and those that were in flight when its process died. */
export function ledgerOf(run: string): { settled: (Reserved & { end: Settled })[]; open: Reserved[] } {
  const reserved = new Map<number, Reserved>();
  const settled: (Reserved & { end: Settled })[] = [];
  readLedgerFile(path.join(run, 'ledger.jsonl'), (line: LedgerLine) => {
    if ('most' in line) reserved.set(line.n, line);
    else {
      settled.push({ ...reserved.get(line.n)!, end: line });
      reserved.delete(line.n);
    }
  });
  return { settled, open: [...reserved.values()] };
}

/** Sums over the ledger of a run, calls that are open counted in full. */
export function spentIn(run: string): { calls: number; tokensIn: number; tokensOut: number; usd: number } {
  const { settled, open } = ledgerOf(run);
  const used = [...settled.map(({ end }) => end), ...open.map(({ most }) => most)];
  const total = (of: (one: (typeof used)[number]) => number) => used.reduce((sum, one) => sum + of(one), 0);
  return {
    calls: used.length,
    tokensIn: total(({ tokensIn }) => tokensIn),
    tokensOut: total(({ tokensOut }) => tokensOut),
    usd: Math.round(total(({ usd }) => usd) * 1e9) / 1e9,
  };
}

/** How many requests came more often than in the run that nothing happened to. */
export function askedAgain(calls: readonly Call[], calm: readonly Call[]): number {
  const left = new Map<string, number>();
  for (const { raw } of calm) left.set(raw, (left.get(raw) ?? 0) + 1);
  let again = 0;
  for (const { raw } of calls) {
    const times = left.get(raw) ?? 0;
    if (times === 0) again++;
    else left.set(raw, times - 1);
  }
  return again;
}

/** What may be charged for a request, by the documented class of the fault that it meets. */
function charged(
  fault: KnownFault | null,
  { usage }: Completion,
  raw: string,
  body: { [key: string]: unknown },
): { tokensIn: number; tokensOut: number } {
  if (fault?.billed === 'no') return { tokensIn: 0, tokensOut: 0 };
  if (fault?.billed === 'most') return mostOf(raw, body);
  return { tokensIn: usage.prompt_tokens, tokensOut: usage.completion_tokens };
}

/** A token is never shorter than a byte, and a reply never longer than its bound. */
function mostOf(raw: string, body: { [key: string]: unknown }): { tokensIn: number; tokensOut: number } {
  const bound = Number(body.max_completion_tokens ?? body.max_tokens);
  return { tokensIn: Buffer.byteLength(raw), tokensOut: bound };
}
