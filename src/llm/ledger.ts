import {
  type Actual,
  countOpenInFull,
  emptyBook,
  enter,
  type Most,
  nano,
  type Purpose,
  type Reserved,
  type Settled,
  settledInFull,
  type Totals,
  totalsOf,
} from './ledger-book.ts';
import { openLedgerFile, readLedgerFile } from './ledger-file.ts';
import { cancelled, LlmError } from './llm.ts';

/** Dollars and tokens (in and out together) that a run may use in all; null is no limit. */
type Limits = { usd: number | null; tokens: number | null };

/** Money and tokens put aside for one call. */
export type Reservation = {
  /**
   * Ends the reservation, once: what the call used, `nothing` where the endpoint did not charge, `most` where it may
   * have and did not say what. `answered`: whether a reply came, by default where there is usage. More than was
   * reserved is recorded as it is; figures that are no whole tokens, or no dollars, count as `most`. Returns what
   * was charged, in dollars; a second call changes nothing and returns the same.
   */
  settle(actual: Actual | 'nothing' | 'most', answered?: boolean): number;
};

/** What a run has spent on models, and the only place where it may spend more. */
export type Ledger = {
  /**
   * Puts `most` aside. Granted at once if it fits both limits together with all that was spent and is held;
   * otherwise it waits, first come first served, for calls in flight, which may settle for less. Rejects with an
   * `LlmError`: `budget` (and its `limit`) when nothing is in flight and it still does not fit; `unrecorded` when the
   * file takes no more lines; `cancelled` when `signal` aborts before the grant.
   *
   * A call that can never fit waits too: so all that is in flight comes home before a run hears that its money is
   * used up.
   */
  reserve(most: Most, what: { purpose: Purpose; model: string }, signal?: AbortSignal): Promise<Reservation>;
  /** What was spent so far, in all and by purpose. */
  totals(): Totals;
  /** Refuses whoever waits and lets go of the file; what is still held counts in full there. */
  close(): void;
};

/**
 * Opens the ledger of a run, with all that its `file` holds; null keeps nothing. Never does what was settled plus
 * what is held pass a limit, as long as calls use no more than was reserved for them. Reservations of a process
 * that died are spent in full. Throws a `UserError` for a damaged file (exit code 5, with the line) and for one that
 * cannot be written.
 */
export function openLedger({ limits, file }: { limits: Limits; file: string | null }): Ledger {
  const book = emptyBook();
  const lines = file === null ? null : openLedgerFile(file, (line) => enter(book, line));
  countOpenInFull(book);
  const queue = new Set<Waiter>();
  let refusal: LlmError | null = null;

  const serve = () => {
    for (const waiter of queue) {
      const short = refusal ?? shortage(book, waiter.most, limits);
      if (short && !refusal && book.held.calls > 0) return;
      queue.delete(waiter);
      waiter.answer(short ?? grant(waiter));
    }
  };

  const grant = ({ most: { tokensIn, tokensOut, usd }, what }: Waiter): Reservation | LlmError => {
    const most = { tokensIn, tokensOut, usd: nano(usd) / 1e9 };
    const line = { n: book.last + 1, at: new Date().toISOString(), ...what, most };
    try {
      lines?.append(line);
    } catch (error) {
      return refuseAll(error);
    }
    enter(book, line);
    return reservation(line);
  };

  const reservation = (line: Reserved): Reservation => {
    let charged: number | null = null;
    return {
      settle(actual, answered = typeof actual !== 'string') {
        charged ??= settle(settlement(line, actual, answered));
        return charged;
      },
    };
  };

  const settle = (line: Settled): number => {
    enter(book, line);
    try {
      lines?.append(line);
    } catch (error) {
      // The reply is paid for and can be used; in the file the call stays open, which counts in full.
      refuseAll(error);
    }
    serve();
    return line.usd;
  };

  const refuseAll = (error: unknown): LlmError => {
    refusal ??= asRefusal(error);
    return refusal;
  };

  return {
    reserve(most, { purpose, model }, signal) {
      return new Promise((resolve, reject) => {
        if (!isMost(most)) throw new Error(`a call that may use ${JSON.stringify(most)}`);
        if (signal?.aborted) throw cancelled(BEFORE);
        const cancel = () => {
          queue.delete(waiter);
          reject(cancelled(BEFORE));
          serve();
        };
        const waiter: Waiter = {
          most,
          what: { purpose, model },
          answer(answer) {
            signal?.removeEventListener('abort', cancel);
            if (answer instanceof LlmError) reject(answer);
            else resolve(answer);
          },
        };
        queue.add(waiter);
        serve();
        if (queue.has(waiter)) signal?.addEventListener('abort', cancel, { once: true });
      });
    },
    totals: () => totalsOf(book),
    close() {
      refusal ??= new LlmError('cancelled', 'the ledger is closed');
      serve();
      lines?.close();
    },
  };
}

/**
 * What the ledger at `file` says was spent, calls that are open there in full; null where there is no file. Changes
 * nothing and works beside a writer. Throws a `UserError` for a damaged file (exit code 5, with the line).
 */
export function readLedger(file: string): Totals | null {
  const book = emptyBook();
  if (!readLedgerFile(file, (line) => enter(book, line))) return null;
  countOpenInFull(book);
  return totalsOf(book);
}

const BEFORE = 'before the call was made';

type Waiter = {
  most: Most;
  what: { purpose: Purpose; model: string };
  answer(answer: Reservation | LlmError): void;
};

function settlement({ n, most }: Reserved, actual: Actual | 'nothing' | 'most', answered: boolean): Settled {
  const failed = answered ? {} : { failed: true as const };
  if (actual === 'nothing')
    return { n, tokensIn: 0, tokensOut: 0, tokensCached: 0, usd: 0, basis: 'nothing', ...failed };
  if (actual === 'most' || !isMost(actual) || !isCount(actual.tokensCached))
    return settledInFull(n, most, !answered);
  const { tokensIn, tokensOut, tokensCached, usd } = actual;
  return { n, tokensIn, tokensOut, tokensCached, usd: nano(usd) / 1e9, basis: 'usage', ...failed };
}

/** Why `most` does not fit beside what is spent and held; null if it does. */
function shortage(spent: Totals, most: Most, limits: Limits): LlmError | null {
  const usd = limits.usd === null ? Number.POSITIVE_INFINITY : nano(limits.usd);
  if (spent.usd + spent.held.usd + nano(most.usd) > usd) {
    return new LlmError(
      'budget',
      `${dollars(spent.usd)} of ${dollars(usd)} is spent${guessed(spent)}, and the next call may cost ${dollars(nano(most.usd))}`,
      {
        limit: 'usd',
        hint: 'Raise --budget-usd and give the same command again: the run goes on from there.',
      },
    );
  }
  const used = spent.tokensIn + spent.tokensOut;
  const call = most.tokensIn + most.tokensOut;
  if (limits.tokens === null || used + spent.held.tokens + call <= limits.tokens) return null;
  return new LlmError(
    'budget',
    `${used} of ${limits.tokens} tokens are used, and the next call may take ${call}`,
    {
      limit: 'tokens',
      hint: 'Raise --budget-tokens and give the same command again: the run goes on from there.',
    },
  );
}

/** The part of it that is counted at the most; '' where there is none. */
function guessed({ atMost: { calls, usd } }: Totals): string {
  if (calls === 0) return '';
  return ` (${dollars(usd)} of it is the most that ${calls} ${calls === 1 ? 'call' : 'calls'} can have cost, as nothing was said)`;
}

/** To the last nano-dollar: a rounded figure could look as if the call did fit. */
function dollars(nanos: number): string {
  const [whole, fraction = ''] = (nanos / 1e9).toFixed(9).split('.');
  return `$${whole}.${fraction.replace(/0+$/, '').padEnd(2, '0')}`;
}

function asRefusal(cause: unknown): LlmError {
  const { message, hint = '' } = cause as Error & { hint?: string };
  return new LlmError('unrecorded', message, { hint, cause });
}

function isMost({ tokensIn, tokensOut, usd }: Most): boolean {
  return isCount(tokensIn) && isCount(tokensOut) && usd >= 0 && Number.isSafeInteger(nano(usd));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
