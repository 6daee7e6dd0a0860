import type { Breaker, Passage } from './breaker.ts';
import { type ChatRequest, type Fault, type Llm, LlmError } from './llm.ts';

/**
 * Calls only when the breaker lets pass, and tells it how the call ended. Rejects as the model and as `pass`. Stands
 * inside `withLimit`: calls that had passed and then queued for a place would all run into an endpoint that is down.
 *
 * There are requests that an endpoint in good health never answers (llama.cpp, after a bad tool call). Where only such
 * wait, they must not pass for an outage: whether the endpoint is back, the smallest of requests finds out.
 */
export function withBreaker(llm: Llm, breaker: Breaker): Llm {
  const ask = async (passage: Passage, request: ChatRequest, signal?: AbortSignal) => {
    try {
      const reply = await llm(request, signal);
      passage.saw(null);
      return reply;
    } catch (error) {
      passage.saw(error);
      throw error;
    }
  };
  return async (request, signal) => {
    const passage = await breaker.pass(signal);
    if (!passage.probe) return await ask(passage, request, signal);
    await ask(passage, smallest(request), signal).catch((error) => {
      // An endpoint that refuses so small a request is back all the same.
      if (!(error instanceof LlmError) || !UNFIT.includes(error.fault)) throw ofEndpoint(error);
    });
    return await ask(await breaker.pass(signal), request, signal);
  };
}

const UNFIT: readonly Fault[] = ['bad-request', 'too-long', 'garbled'];

/** What became of the smallest of requests is no fault of the one that waits: without a status nobody takes it for that. */
function ofEndpoint(error: unknown): unknown {
  if (!(error instanceof LlmError) || error.fault !== 'unavailable') return error;
  const { fault, message, retryAfterMs, billed, hint, gaveUp } = error;
  return new LlmError(fault, message, { retryAfterMs, billed, hint, gaveUp, cause: error });
}

/** As small as all endpoints take; a few want room for more than one token. */
function smallest({ model }: ChatRequest): ChatRequest {
  return { model, messages: [{ role: 'user', content: 'Say "yes".' }], max_tokens: 16 };
}
