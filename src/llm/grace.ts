import type { Llm } from './llm.ts';

/**
 * A call that is under way when nobody waits for it any more may still finish within `ms`: it is paid for, and
 * whoever keeps replies keeps this one too. A call that has not begun does not begin.
 */
export function withGrace(llm: Llm, ms: number): Llm {
  return async (request, signal) => {
    if (!signal) return await llm(request);
    if (signal.aborted) return await llm(request, signal);
    const end = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      timer = setTimeout(() => end.abort(signal.reason), ms);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await llm(request, end.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    }
  };
}
