import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import type { RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Stop } from '../event.ts';
import { type Breaker, circuitBreaker } from '../llm/breaker.ts';
import { withBudget } from '../llm/budget.ts';
import { openCassette } from '../llm/cassette.ts';
import { type AdaptiveLimit, adaptiveLimit, withLimit } from '../llm/concurrency.ts';
import { withGrace } from '../llm/grace.ts';
import { type Ledger, openLedger } from '../llm/ledger.ts';
import type { Purpose } from '../llm/ledger-book.ts';
import { type Llm, LlmError } from '../llm/llm.ts';
import { withMendedHistory } from '../llm/mend-history.ts';
import { openaiLlm } from '../llm/openai.ts';
import { withRedaction } from '../llm/redaction.ts';
import { withRetry } from '../llm/retry.ts';
import { withTrouble } from '../llm/trouble.ts';
import { mostOf } from '../llm/wire.ts';
import { withBreaker } from '../llm/with-breaker.ts';
import { offlineLlm } from '../offline/offline-llm.ts';
import { endpointOf, keyOf, type Parties, type Party } from './parties.ts';

/** The models of a run, opened: the only place where money is spent. */
export type Models = {
  /** The agent's, for the trial of that id to ask; null for the offline one, which worker threads have themselves. */
  agent: { of(trial: string): Llm } | null;
  mutator: Llm;
  critic: Llm;
  /** What was spent, calls that failed included; null where nothing can be. */
  ledger: Ledger | null;
  /** Aborted when no further call can succeed; `halt` says why. */
  halted: AbortSignal;
  halt(): Halt | null;
  close(): void;
};

/** Why no further call can succeed, and what the user can do; `error` where the run cannot even end in good order. */
export type Halt = { stop: Stop; reason: string; hint: string; error?: UserError };

export type ModelEvents = {
  /** An endpoint is down, and calls wait; then it is back. */
  paused(reason: string): void;
  unpaused(pausedMs: number): void;
  /** Calls fail and are tried again; told now and then. */
  trouble(line: string): void;
};

/** Calls under way when a run is stopped may finish within this time: they are paid for, and their replies are kept. */
export const GRACE_MS = 10_000;

/**
 * Opens the models of a run. `dir` is the run's folder: `ledger.jsonl` there has what was spent, `calls.jsonl` the
 * replies of mutator and critic, so that a run that was cut off does not pay for them again; null keeps neither. When
 * `stop` aborts, calls under way get their grace and no other begins; a trial's own signal comes before it.
 */
export function openModels(
  parties: Parties,
  config: RunConfig,
  dir: string | null,
  stop: AbortSignal,
  events: ModelEvents,
): Models {
  const closers: (() => void)[] = [];
  const halted = new AbortController();
  // Every call in flight listens.
  const stopped = AbortSignal.any([stop, halted.signal]);
  setMaxListeners(0, halted.signal, stopped);
  let halt: Halt | null = null;
  const { replay, record } = config;
  const real = [parties.agent, parties.mutator, parties.critic].some(({ baseURL }) => baseURL !== null);
  const limits = { usd: config.budgetUsd, tokens: config.budgetTokens };
  const ledger =
    real && replay === null ? openLedger({ limits, file: dir && join(dir, 'ledger.jsonl') }) : null;
  if (ledger) closers.push(() => ledger.close());

  const tape = replay ?? record;
  const cassette = tape === null ? null : openCassette(tape, replay === null ? 'record' : 'replay');
  const memo = ledger && dir ? openCassette(join(dir, 'calls.jsonl'), 'memo') : null;
  for (const opened of [cassette, memo]) if (opened) closers.push(() => opened.close());
  const endpoints = endpointsOf(config, events);

  /** Stops the run at the first fault that no other call can escape. */
  const alarmed = (llm: Llm, party: Party): Llm => {
    return async (request, signal) => {
      try {
        return await llm(request, signal ?? stopped);
      } catch (error) {
        if (error instanceof LlmError && error.fatal && halt === null) {
          halt = haltOf(error, party);
          halted.abort(new Error(halt.reason));
        }
        throw error;
      }
    };
  };

  const open = (role: Purpose): ((asker?: string) => Llm) => {
    const party = parties[role];
    const remembered = (llm: Llm) => (memo && role !== 'agent' ? memo.wrap(llm) : llm);
    const asked = party.baseURL === null ? offlineLlm() : remembered(called(party, role));
    return (asker) => alarmed(withRedaction(cassette ? cassette.wrap(asked, asker) : asked), party);
  };

  const called = (party: Party, purpose: Purpose): Llm => {
    if (!ledger) return noEndpoint;
    const { attempts, backoffMs, totalMs, idleMs, stream } = config.calls;
    const { limit, breaker } = endpoints(party);
    const { baseURL, profile } = party;
    const endpoint = openaiLlm({
      baseURL: baseURL!,
      apiKey: keyOf(party),
      profile,
      stream,
      idleMs,
      totalMs,
      envHeaders: party.told === 'OPENAI_BASE_URL' && party.keyVariable === 'OPENAI_API_KEY',
    });
    const paid = withBudget(withGrace(endpoint, GRACE_MS), {
      ledger,
      price: profile.price,
      mostOf: (request) => mostOf(request, profile, stream),
      purpose,
    });
    // Who asks for an hour's patience (Retry-After) gets it, as one that is down would.
    const { maxPauseMs } = config.calls;
    const patience = {
      attempts,
      baseMs: backoffMs,
      capMs: 60 * backoffMs,
      longestWaitMs: maxPauseMs,
      breaker,
    };
    const steady = withLimit(withBreaker(withMendedHistory(paid), breaker), limit);
    return withRetry(withTrouble(steady, events.trouble), patience);
  };

  return {
    agent: parties.agent.baseURL === null && !cassette ? null : { of: open('agent') },
    mutator: open('mutator')(),
    critic: open('critic')(),
    ledger,
    halted: halted.signal,
    halt: () => halt,
    close: () => {
      for (const close of closers) close();
    },
  };
}

type Endpoint = { limit: AdaptiveLimit; breaker: Breaker };

/** Parties at one endpoint share its limit and its breaker. */
function endpointsOf(config: RunConfig, { paused, unpaused }: ModelEvents): (party: Party) => Endpoint {
  const known = new Map<string, Endpoint>();
  const { most, backoffMs, maxPauseMs } = config.calls;
  return (party) => {
    const name = endpointOf(party);
    const endpoint = known.get(name) ?? {
      limit: adaptiveLimit({ most }),
      breaker: circuitBreaker({
        firstPauseMs: 5 * backoffMs,
        longestPauseMs: 60 * backoffMs,
        giveUpMs: maxPauseMs,
        onPause: paused,
        onResume: unpaused,
      }),
    };
    known.set(name, endpoint);
    return endpoint;
  };
}

function haltOf(error: LlmError, { keyVariable, baseURL }: Party): Halt {
  const { fault, message, hint, limit, gaveUp } = error;
  if (fault === 'unrecorded') {
    return { stop: 'infrastructure', reason: message, hint, error: new UserError(message, hint, 4) };
  }
  if (gaveUp) return { stop: 'infrastructure', reason: message, hint };
  if (fault === 'budget') return { stop: `budget-${limit ?? 'usd'}`, reason: message, hint };
  if (fault === 'refused') {
    return { stop: 'refused', reason: message, hint: `${hint} It stands in ${keyVariable}, for ${baseURL}.` };
  }
  return { stop: 'refused', reason: message, hint };
}

const noEndpoint: Llm = async () => {
  throw new LlmError('unseen', 'a cassette is replayed, and no model is asked');
};
