import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, type Llm, LlmError } from './llm.ts';

/** How often a call is made again, and how long is waited in between. */
export type RetryOptions = {
  /** How many calls that fail are enough; at least 1. */
  attempts: number;
  /** The longest wait after the first failure, doubled after each, up to the cap, ms. */
  baseMs: number;
  capMs: number;
  /** An endpoint that asks for more patience than this gets none, ms. */
  longestWaitMs?: number;
  /** The breaker that stands further in: while it is open, failures do not use up attempts. */
  breaker?: { now(): { open: boolean } };
  /** Uniform in [0, 1). */
  random?: () => number;
  /** Must not reject but when `signal` aborts. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

/**
 * Makes a call again when its error is `retryable`. Waits as in "Exponential Backoff and Jitter" (AWS Architecture
 * Blog, 2015), full jitter: uniform between 0 and min(cap, base × 2^(failures − 1)), on top of what the endpoint asks
 * for (Retry-After). Rejects with the last error when the attempts are used up, its message saying how many there were,
 * and with `cancelled` as soon as `signal` aborts.
 *
 * What may be the fault of this one request counts even while the breaker is open: a time-out, a 500, an error in a 200.
 * Such a request must not keep the breaker open until the endpoint is given up.
 */
export function withRetry(
  llm: Llm,
  {
    attempts,
    baseMs,
    capMs,
    longestWaitMs = 600_000,
    breaker,
    random = Math.random,
    sleep = (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
  }: RetryOptions,
): Llm {
  return async (request, signal) => {
    for (let failed = 0; ; ) {
      if (signal?.aborted) throw cancelled(BETWEEN);
      try {
        return await llm(request, signal);
      } catch (error) {
        if (!(error instanceof LlmError) || !error.retryable) throw error;
        if (isOfRequest(error) || !breaker?.now().open) failed++;
        const asked = Math.max(0, error.retryAfterMs ?? 0);
        if (failed >= attempts) throw last(error, failed, '');
        if (asked > longestWaitMs) {
          throw last(error, failed, `; it asks to wait ${Math.ceil(asked / 1000)} s`);
        }
        const waitMs = asked + random() * Math.min(capMs, baseMs * 2 ** Math.max(0, failed - 1));
        await sleep(waitMs, signal).catch((reason: unknown) => {
          throw signal?.aborted ? cancelled(BETWEEN) : reason;
        });
      }
    }
  };
}

/** Whether the endpoint may be well, and will do the same to this request for ever (llama.cpp, to a bad tool call). */
function isOfRequest({ fault, status }: LlmError): boolean {
  return fault === 'timeout' || status === 500 || status === 200;
}

function last(error: LlmError, failed: number, why: string): LlmError {
  const after = failed > 1 ? ` (after ${failed} attempts${why})` : why && ` (${why.slice(2)})`;
  return new LlmError(error.fault, `${error.message}${after}`, { ...error, cause: error });
}

const BETWEEN = 'between two attempts';
