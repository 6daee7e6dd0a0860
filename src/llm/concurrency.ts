import { cancelled, type Llm, LlmError } from './llm.ts';

/** How many calls an endpoint gets at once; one limit an endpoint, shared by all its calls. */
export type AdaptiveLimit = {
  /** Waits for a place, first come first served. Rejects with `LlmError` `cancelled` when `signal` aborts first. */
  take(signal?: AbortSignal): Promise<Place>;
  /** Calls allowed at once, calls made now, calls that wait. */
  now(): { bound: number; inFlight: number; waiting: number };
};

/** One of the calls that an endpoint gets at once. */
export type Place = {
  /** Gives the place back, and says how the call ended: null for a reply, else what was thrown. Once. */
  done(error: unknown): void;
};

/**
 * Finds the number of calls that the endpoint bears, between 1 and `most`, after Inspect AI's adaptive connections:
 * × 0.8 for each burst of 429 (all those of calls that began before the last cut are one burst); one more after as
 * many replies as the bound, twice as many until the first cut; no growth for a while after a call that nobody
 * answered, for more load is no help to an endpoint in trouble, nor while the bound is not used to the full, for then
 * nothing is learnt of it. Calls beyond a bound that was cut are let finish.
 */
export function adaptiveLimit({
  most,
  start = Math.min(most, 20),
  now = () => performance.now(),
}: {
  /** At least 1. */
  most: number;
  start?: number;
  /** A clock that never goes back, ms. */
  now?: () => number;
}): AdaptiveLimit {
  let bound = start;
  let inFlight = 0;
  let replies = 0;
  let cuts = 0;
  let growsFrom = Number.NEGATIVE_INFINITY;
  const queue = new Set<(place: Place) => void>();

  const learn = (error: unknown, cutsBefore: number, full: boolean) => {
    if (error === null) {
      // Replies to calls of before the cut say nothing of the bound after it.
      if (cutsBefore !== cuts || !full || now() < growsFrom || ++replies < bound) return;
      bound = Math.min(most, cuts === 0 ? bound * 2 : bound + 1);
      replies = 0;
    } else if (error instanceof LlmError && error.fault === 'busy') {
      if (cutsBefore !== cuts) return;
      bound = Math.max(1, Math.floor(bound * CUT));
      cuts++;
      replies = 0;
    } else if (error instanceof LlmError && TROUBLE.includes(error.fault)) {
      growsFrom = now() + GROWTH_PAUSE_MS;
      replies = 0;
    }
  };

  const serve = () => {
    for (const grant of queue) {
      if (inFlight >= bound) return;
      queue.delete(grant);
      inFlight++;
      grant(place());
    }
  };

  const place = (): Place => {
    const cutsBefore = cuts;
    let given = false;
    return {
      done(error) {
        if (given) return;
        given = true;
        const full = inFlight >= bound;
        inFlight--;
        learn(error, cutsBefore, full);
        serve();
      },
    };
  };

  return {
    take(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) throw cancelled(WAITING);
        const cancel = () => {
          queue.delete(grant);
          reject(cancelled(WAITING));
        };
        const grant = (granted: Place) => {
          signal?.removeEventListener('abort', cancel);
          resolve(granted);
        };
        queue.add(grant);
        serve();
        if (queue.has(grant)) signal?.addEventListener('abort', cancel, { once: true });
      });
    },
    now: () => ({ bound, inFlight, waiting: queue.size }),
  };
}

/** Takes a place for each call, and gives it back however the call ends. Rejects as the model and as `take`. */
export function withLimit(llm: Llm, limit: AdaptiveLimit): Llm {
  return async (request, signal) => {
    const place = await limit.take(signal);
    try {
      const reply = await llm(request, signal);
      place.done(null);
      return reply;
    } catch (error) {
      place.done(error);
      throw error;
    }
  };
}

const CUT = 0.8;
/** Long enough for an endpoint to catch its breath; one that fails now and then must not hold all calls down. */
const GROWTH_PAUSE_MS = 5_000;
const TROUBLE = ['unavailable', 'connection', 'timeout'];
const WAITING = 'while it waited for its turn';
