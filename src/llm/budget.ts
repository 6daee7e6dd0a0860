import type { Ledger } from './ledger.ts';
import type { Actual, Most, Purpose } from './ledger-book.ts';
import { type ChatReply, type ChatRequest, type Llm, LlmError } from './llm.ts';
import type { Price } from './profile.ts';

/** Who pays for the calls of a model, and how dear they are. */
type Budget = {
  ledger: Ledger;
  /** Null costs no dollars; tokens count all the same. */
  price: Price | null;
  /** The most tokens that a request can use, as it is sent. */
  mostOf: (request: ChatRequest) => { tokensIn: number; tokensOut: number };
  purpose: Purpose;
};

/**
 * Pays for each call: puts the most it can cost aside, calls, settles with what it used. Counted at the most where
 * the reply is `unmetered`, where a failed call was `billed`, and where it failed as no call should. The reply says
 * what it cost (`usd`). Rejects as the model does, and as `Ledger.reserve`. One entry of the ledger is one request of
 * the endpoint: it stands inside whatever asks more than once for a call (`withRetry`, `withMendedHistory`).
 */
export function withBudget(llm: Llm, { ledger, price, mostOf, purpose }: Budget): Llm {
  return async (request, signal) => {
    const most = costliest(mostOf(request), price);
    const reservation = await ledger.reserve(most, { purpose, model: request.model }, signal);
    let reply: ChatReply;
    try {
      reply = await llm(request, signal);
    } catch (error) {
      reservation.settle(error instanceof LlmError && !error.billed ? 'nothing' : 'most', false);
      throw error;
    }
    const { usd: _, ...free } = reply;
    const usd = reservation.settle(reply.unmetered ? 'most' : usageOf(reply, price), true);
    return usd > 0 ? { ...free, usd } : free;
  };
}

/**
 * What tokens cost, in dollars: a whole number of nano-dollars, rounded up. Prices are taken to the millionth of a
 * dollar per million tokens, so that the sum is exact. Never more for fewer tokens.
 */
export function costOf(
  usage: { tokensIn: number; tokensOut: number; tokensCached?: number },
  price: Price | null,
): number {
  if (price === null) return 0;
  const cached = Math.min(usage.tokensCached ?? 0, usage.tokensIn);
  const pico =
    (usage.tokensIn - cached) * picoPerToken(price.input) +
    cached * picoPerToken(price.cachedInput) +
    usage.tokensOut * picoPerToken(price.output);
  return Math.ceil(pico / 1000) / 1e9;
}

/** Dollars per million tokens, to the millionth: as many pico-dollars a token. */
function picoPerToken(dollarsPerMillion: number): number {
  return Math.round(dollarsPerMillion * 1e6);
}

/** Nothing is known yet of what is cached, and a cache could be priced above plain input. */
function costliest(bound: { tokensIn: number; tokensOut: number }, price: Price | null): Most {
  const dearest = price && { ...price, input: Math.max(price.input, price.cachedInput) };
  return { tokensIn: bound.tokensIn, tokensOut: bound.tokensOut, usd: costOf(bound, dearest) };
}

function usageOf(reply: ChatReply, price: Price | null): Actual {
  const { tokensIn, tokensOut } = reply;
  const tokensCached = Math.min(reply.tokensCached ?? 0, tokensIn);
  return { tokensIn, tokensOut, tokensCached, usd: costOf({ tokensIn, tokensOut, tokensCached }, price) };
}
