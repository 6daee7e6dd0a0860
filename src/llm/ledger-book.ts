/** Who a call is made for. */
export type Purpose = 'agent' | 'mutator' | 'critic';

/** The most that a call can use: whole tokens, dollars. */
export type Most = { tokensIn: number; tokensOut: number; usd: number };

/** What a call used. `tokensCached` are those of `tokensIn` that the endpoint had cached. */
export type Actual = Most & { tokensCached: number };

/** A line of the ledger that stands there before its call is made; `n` counts from 1. */
export type Reserved = { n: number; at: string; purpose: Purpose; model: string; most: Most };

/**
 * What became of reservation `n`. `basis` says where the figures are from: the endpoint's own count, the reservation
 * (it may have charged and did not say what), or that nothing was charged. `failed`: the call gave no reply.
 */
export type Settled = Actual & { n: number; basis: 'usage' | 'most' | 'nothing'; failed?: true };

/** What a ledger is made of. */
export type LedgerLine = Reserved | Settled;

/** Sums over calls. `calls` to `usd` are of those that ended; `failed` are those of `calls` that gave no reply. */
export type Sum = {
  calls: number;
  failed: number;
  tokensIn: number;
  tokensOut: number;
  tokensCached: number;
  /** Dollars, a whole number of nano-dollars. */
  usd: number;
  /** The part that is counted at the reservation, because the endpoint did not say what it charged. */
  atMost: { calls: number; tokens: number; usd: number };
  /** What calls in flight may still use; no part of the above. */
  held: { calls: number; tokens: number; usd: number };
};

/** What was spent, in all and by purpose. */
export type Totals = Sum & { by: Record<Purpose, Sum> };

/**
 * The fold over a ledger's lines. Its `usd` are whole nano-dollars: sums of whole numbers do not drift and do not
 * depend on the order of the calls. Only `enter` and `countOpenInFull` change it.
 */
type Book = Totals & { last: number; open: Map<number, Reserved> };

/** A book without a line. */
export function emptyBook(): Book {
  return {
    ...emptySum(),
    by: { agent: emptySum(), mutator: emptySum(), critic: emptySum() },
    last: 0,
    open: new Map(),
  };
}

/** Enters one line, and throws a plain error, the book unchanged, if it cannot follow those before it. */
export function enter(book: Book, line: LedgerLine): void {
  if ('most' in line) {
    if (line.n !== book.last + 1) throw new Error(`it reserves for call ${line.n} after call ${book.last}`);
    if (!Object.hasOwn(book.by, line.purpose)) throw new Error(`its purpose is ${line.purpose}`);
    book.last = line.n;
    book.open.set(line.n, line);
    for (const sum of [book, book.by[line.purpose]]) hold(sum, line.most, 1);
    return;
  }
  const reserved = book.open.get(line.n);
  if (!reserved) throw new Error(`it settles call ${line.n}, which is not open`);
  book.open.delete(line.n);
  for (const sum of [book, book.by[reserved.purpose]]) {
    hold(sum, reserved.most, -1);
    add(sum, line);
  }
}

/** Takes all that is open for spent in full: what was in flight when its process died may have been charged. */
export function countOpenInFull(book: Book): void {
  for (const { n, most } of [...book.open.values()]) enter(book, settledInFull(n, most));
}

/** The settlement of a call that may have used all that was reserved for it. */
export function settledInFull(n: number, most: Most, failed = true): Settled {
  return { n, ...most, tokensCached: 0, basis: 'most', ...(failed ? { failed } : {}) };
}

/** The book's sums in dollars, as a copy. */
export function totalsOf(book: Book): Totals {
  const { agent, mutator, critic } = book.by;
  return {
    ...inDollars(book),
    by: { agent: inDollars(agent), mutator: inDollars(mutator), critic: inDollars(critic) },
  };
}

/** Dollars as whole nano-dollars, the nearest ones; larger amounts never give smaller numbers. */
export function nano(usd: number): number {
  return Math.round(usd * 1e9);
}

function emptySum(): Sum {
  return {
    calls: 0,
    failed: 0,
    tokensIn: 0,
    tokensOut: 0,
    tokensCached: 0,
    usd: 0,
    atMost: { calls: 0, tokens: 0, usd: 0 },
    held: { calls: 0, tokens: 0, usd: 0 },
  };
}

function hold(sum: Sum, most: Most, sign: 1 | -1): void {
  sum.held.calls += sign;
  sum.held.tokens += sign * (most.tokensIn + most.tokensOut);
  sum.held.usd += sign * nano(most.usd);
}

function add(sum: Sum, line: Settled): void {
  sum.calls++;
  if (line.failed) sum.failed++;
  sum.tokensIn += line.tokensIn;
  sum.tokensOut += line.tokensOut;
  sum.tokensCached += line.tokensCached;
  sum.usd += nano(line.usd);
  if (line.basis !== 'most') return;
  sum.atMost.calls++;
  sum.atMost.tokens += line.tokensIn + line.tokensOut;
  sum.atMost.usd += nano(line.usd);
}

function inDollars(sum: Sum): Sum {
  const { calls, failed, tokensIn, tokensOut, tokensCached, usd, atMost, held } = sum;
  return {
    calls,
    failed,
    tokensIn,
    tokensOut,
    tokensCached,
    usd: usd / 1e9,
    atMost: { ...atMost, usd: atMost.usd / 1e9 },
    held: { ...held, usd: held.usd / 1e9 },
  };
}
