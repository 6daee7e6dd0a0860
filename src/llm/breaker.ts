import { setTimeout as delay } from 'node:timers/promises';
import { cancelled, LlmError } from './llm.ts';

/** Calls that nobody answers, and the waiting until somebody does: one breaker an endpoint, shared by all its calls. */
export type Breaker = {
  /**
   * Resolves at once while the endpoint answers, and otherwise when it answers again, or when this call is the one that
   * finds out. Whoever passed says once how its call ended, by `saw`. Rejects with `LlmError`: `cancelled` when
   * `signal` aborts; `unavailable` with `gaveUp`, this and every later call, once the endpoint was down for too long.
   */
  pass(signal?: AbortSignal): Promise<Passage>;
  /** Whether calls wait, and how many. */
  now(): { open: boolean; waiting: number };
};

/** Leave to make one call. */
export type Passage = {
  /** Whether this call finds out if the endpoint is back. */
  probe: boolean;
  /** How the call ended: null for a reply, else what was thrown. A second call does nothing. */
  saw(error: unknown): void;
};

/** Times in ms; what is left out has the default that stands at `circuitBreaker`. */
type BreakerOptions = {
  /** So many calls in a row that nobody answered open it. */
  failures?: number;
  /** Until the first probe; doubled after each that fails, up to the longest. */
  firstPauseMs?: number;
  longestPauseMs?: number;
  /** Down for so long, the endpoint is given up. */
  giveUpMs?: number;
  /** Must not reject but when `signal` aborts. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** A clock that never goes back, ms. */
  now?: () => number;
  onPause?(reason: string): void;
  onResume?(pausedMs: number): void;
};

/**
 * A circuit breaker (Nygard, "Release It!", 2007): closed, it counts the calls in a row that ended in `unavailable`,
 * `connection` or `timeout`; any other answer of the endpoint, also a refusal, shows that it lives. Open, nobody calls.
 * After a pause one caller is let through: a reply lets all go on, in the order in which they came; a failure begins a
 * longer pause; a call that ended without the endpoint having been asked leaves its turn to the next.
 */
export function circuitBreaker({
  failures = 8,
  firstPauseMs = 5_000,
  longestPauseMs = 60_000,
  giveUpMs = 3_600_000,
  sleep = (ms, signal) => delay(ms, undefined, { signal }),
  now = () => performance.now(),
  onPause,
  onResume,
}: BreakerOptions = {}): Breaker {
  /** Calls that began before the last opening or closing say nothing about what came after it. */
  let era = 0;
  let failed = 0;
  let outage: Outage | null = null;
  let end: LlmError | null = null;
  const waiting = new Set<Waiter>();

  const open = (error: LlmError) => {
    outage = {
      since: now(),
      until: now() + firstPauseMs,
      pauseMs: firstPauseMs,
      probing: false,
      timer: null,
    };
    era++;
    onPause?.(error.message);
  };

  const close = (ended: Outage) => {
    const pausedMs = now() - ended.since;
    ended.timer?.abort();
    outage = null;
    failed = 0;
    era++;
    for (const waiter of take(waiting)) waiter.go(passage(null));
    onResume?.(pausedMs);
  };

  const giveUp = (ended: Outage, error: LlmError) => {
    end = new LlmError(
      'unavailable',
      `the endpoint did not answer for ${span(now() - ended.since)}: ${error.message}`,
      { gaveUp: true, hint: 'See to it that it is up, then give the same command again.', cause: error },
    );
    for (const waiter of take(waiting)) waiter.stop(end);
  };

  const lengthen = (ongoing: Outage) => {
    ongoing.pauseMs = Math.min(ongoing.pauseMs * 2, longestPauseMs);
    // The last probe falls on the end: a shorter pause rather than a later verdict.
    ongoing.until = Math.min(now() + ongoing.pauseMs, ongoing.since + giveUpMs);
  };

  /** Lets the next probe through when it is time, or sees to it that it will be; no timer that nobody waits for. */
  const advance = () => {
    const ongoing = outage;
    if (!ongoing || ongoing.probing) return;
    if (waiting.size === 0 || now() >= ongoing.until) {
      ongoing.timer?.abort();
      ongoing.timer = null;
      const [first] = waiting;
      if (!first) return;
      waiting.delete(first);
      ongoing.probing = true;
      first.go(passage(ongoing));
      return;
    }
    if (ongoing.timer) return;
    const timer = new AbortController();
    ongoing.timer = timer;
    sleep(ongoing.until - now(), timer.signal).then(
      () => {
        if (ongoing.timer !== timer) return;
        ongoing.timer = null;
        // Timers may fire a little early by another clock.
        ongoing.until = Math.min(ongoing.until, now());
        advance();
      },
      () => {},
    );
  };

  /** `probed`: the outage whose end this call is to find out. */
  const passage = (probed: Outage | null): Passage => {
    const born = era;
    let told = false;
    return {
      probe: probed !== null,
      saw(error) {
        if (told || end) return;
        told = true;
        const sign = signOf(error);
        if (sign === 'lives') {
          if (outage) close(outage);
          else failed = 0;
        } else if (born !== era) {
          return;
        } else if (outage === null) {
          if (sign === 'silent' && ++failed >= failures) open(error as LlmError);
        } else if (probed) {
          outage.probing = false;
          if (sign === 'silent') {
            if (now() - outage.since >= giveUpMs) return giveUp(outage, error as LlmError);
            lengthen(outage);
          }
          advance();
        }
      },
    };
  };

  return {
    pass(signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) throw cancelled(WHILE_DOWN);
        if (end) throw end;
        if (!outage) return resolve(passage(null));
        const cancel = () => {
          waiting.delete(waiter);
          reject(cancelled(WHILE_DOWN));
          advance();
        };
        const waiter: Waiter = {
          go(granted) {
            signal?.removeEventListener('abort', cancel);
            resolve(granted);
          },
          stop(error) {
            signal?.removeEventListener('abort', cancel);
            reject(error);
          },
        };
        signal?.addEventListener('abort', cancel, { once: true });
        waiting.add(waiter);
        advance();
      });
    },
    now: () => ({ open: outage !== null, waiting: waiting.size }),
  };
}

const WHILE_DOWN = 'while the endpoint did not answer';

type Outage = {
  /** When it was noticed; the next probe is due at `until`. */
  since: number;
  until: number;
  pauseMs: number;
  /** One caller is out to see. */
  probing: boolean;
  timer: AbortController | null;
};

type Waiter = { go(passage: Passage): void; stop(error: LlmError): void };

/** What the end of a call says of the endpoint; nothing, where it may not have been asked. */
function signOf(error: unknown): 'lives' | 'silent' | 'nothing' {
  if (error === null) return 'lives';
  if (!(error instanceof LlmError)) return 'nothing';
  switch (error.fault) {
    case 'unavailable':
    case 'connection':
    case 'timeout':
      return 'silent';
    case 'budget':
    case 'unrecorded':
    case 'cancelled':
    case 'unseen':
      return 'nothing';
    default:
      return 'lives';
  }
}

function take<T>(set: Set<T>): T[] {
  const all = [...set];
  set.clear();
  return all;
}

function span(ms: number): string {
  if (ms >= 3_600_000) return `${+(ms / 3_600_000).toFixed(1)} h`;
  if (ms >= 60_000) return `${+(ms / 60_000).toFixed(1)} min`;
  return `${+(ms / 1000).toFixed(1)} s`;
}
