import { type Llm, LlmError } from './llm.ts';

/** How seldom trouble is told, ms. */
const PACE_MS = 30_000;
/** Failed calls before it is worth a word. */
const FEW = 5;

/**
 * Tells `say` now and then that calls fail that will be tried again: how many since the last word, and why the last one
 * did. A run in trouble looks like one that hangs. Stands inside whatever retries.
 */
export function withTrouble(llm: Llm, say: (line: string) => void, now = () => performance.now()): Llm {
  let failed = 0;
  let told = Number.NEGATIVE_INFINITY;
  return async (request, signal) => {
    try {
      return await llm(request, signal);
    } catch (error) {
      if (error instanceof LlmError && error.retryable && ++failed >= FEW && now() - told >= PACE_MS) {
        say(`${failed} calls failed and are tried again; the last one: ${error.message}`);
        failed = 0;
        told = now();
      }
      throw error;
    }
  };
}
