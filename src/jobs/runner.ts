import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.ts';
import { type Backend, notRun, type Ran } from './backend.ts';
import { openCache } from './cache.ts';
import { cleanResult } from './clean-result.ts';
import type { Asker, JobOutcome, JobRunner, JobSpec } from './job.ts';
import { cancelled, isInside, lost, restoreOutputs } from './result.ts';
import { coresOf } from './slots/request.ts';

/** What a job really took; a line of `jobs.jsonl`, no part of a run's identity. */
export type JobRecord = {
  identity: string;
  kind: JobOutcome['kind'];
  /** Who asked; all four null where that is not known. */
  trial: string | null;
  genome: string | null;
  task: string | null;
  /** Which job of the trial it is, from 1. */
  job: number | null;
  /** Given without running anything: from the cache, or by an equal job that was running. */
  hit: boolean;
  /** How long it waited for a slot, or for the equal job. */
  waitMs: number;
  /** How long its processes ran, those that were lost on the way among them; 0 for a hit. */
  runMs: number;
  /** `cpu-0`, or GPU UUIDs; null for a hit. */
  slot: string | null;
  /** GPUs and CPU cores that it held. */
  gpus: number;
  cpus: number;
  /** It had a rule by which it might have been stopped early. */
  ruled: boolean;
  /** The level that it ran under, now or when the cache took it; null where it never ran. */
  sandbox: 'bubblewrap' | 'none' | null;
  /** When it was asked for, ISO 8601. */
  at: string;
};

/** A job's way from being asked for to its end, for those who watch; jobs that the cache answers are not told of. */
export type JobLive = { identity: string; asker: Asker | null } & (
  | { kind: 'waiting'; gpus: number; command: string[] }
  | { kind: 'started'; slot: string }
  | { kind: 'output'; text: string }
  | { kind: 'ended'; outcome: JobOutcome['kind'] }
);

export type RunnerOptions = {
  /** Where results are kept (`runs/.cache/jobs`); null for nowhere. */
  cacheDir: string | null;
  /** Called once for every job asked for. Must not throw. */
  onJob?: (record: JobRecord) => void;
  /** Called as jobs that are really run go on. Must not throw. */
  onLive?: (news: JobLive) => void;
};

/**
 * Runs jobs on a backend, an equal one only once: what it gave is kept in the cache, and who asks for a job that is
 * running waits for it. Of each only the declared outputs come back. What was lost is run again, as often as its spec
 * says.
 */
export function jobRunner(backend: Backend, options: RunnerOptions): JobRunner {
  const cache = options.cacheDir === null ? null : openCache(options.cacheDir);
  const flights = new Map<string, Flight>();
  const open = new Set<Flight>();
  const totals = { run: 0, hits: 0, ms: 0 };
  let closing = false;

  const compute = async (flight: Flight, identity: string, { spec, asker }: Asking): Promise<Ran> => {
    const known = cache?.find(identity);
    if (known) return notRun(known);
    const live = (news: Live) => options.onLive?.({ identity, asker, ...news } as JobLive);
    live({ kind: 'waiting', gpus: spec.gpus, command: spec.command });
    const ran = await runOn(flight, spec, identity, live);
    live({ kind: 'ended', outcome: ran.result.outcome.kind });
    return ran;
  };

  const runOn = async (flight: Flight, first: JobSpec, identity: string, tell: (news: Live) => void) => {
    const { askers, control } = flight;
    let spec = first;
    for (let left = first.retries ?? 2, pauseMs = 250; ; pauseMs *= 4) {
      const ran = await runOnce(flight, spec, identity, tell);
      const isFault = ran.result.outcome.kind === 'lost' && ran.hopeless !== true;
      // The folder of one that has left may have gone while it was read: that is no fault, and there are others.
      const others = [...askers].map((asking) => asking.spec);
      const hasGone = others.length > 0 && !others.includes(spec);
      if (!isFault || backend.halted.aborted || (!hasGone && left-- <= 0)) return ran;
      spec = others[0] ?? spec;
      // Called off meanwhile, it is asked for once more, and told so.
      await sleep(pauseMs, null, { signal: control.signal }).catch(() => {});
    }
  };

  const runOnce = async (
    flight: Flight,
    spec: JobSpec,
    identity: string,
    tell: (news: Live) => void,
  ): Promise<Ran> => {
    try {
      const found = await backend.run({ spec, identity, signal: flight.control.signal, tell });
      const result = cleanResult(found.result);
      const { outcome } = result;
      flight.dir = found.dir;
      if (found.slot !== '') {
        const { waitMs = 0, runMs = 0 } = flight.ran ?? {};
        flight.ran = { waitMs: waitMs + found.waitMs, runMs: runMs + outcome.ms, slot: found.slot };
        totals.run++;
        totals.ms += outcome.ms;
      }
      if (cache && isRepeatable(outcome)) await cache.keep(identity, result);
      return { ...found, result };
    } catch (error) {
      return notRun(lost(messageOf(error)));
    }
  };

  const board = (identity: string, asking: Asking): Flight => {
    const flying = flights.get(identity);
    if (flying && !flying.control.signal.aborted) {
      flying.askers.add(asking);
      return flying;
    }
    const control = new AbortController();
    const ended = Promise.resolve(notRun(lost('')));
    const flight: Flight = { askers: new Set([asking]), control, ended, landed: false, dir: null };
    const begin = () => compute(flight, identity, asking);
    // One that is being called off is still the backend's.
    flight.ended = (flying ? flying.ended.then(begin) : begin()).finally(() => forget(identity, flight));
    flights.set(identity, flight);
    open.add(flight);
    return flight;
  };

  const forget = (identity: string, flight: Flight) => {
    flight.landed = true;
    if (flights.get(identity) === flight) flights.delete(identity);
  };

  const leave = async (flight: Flight, asking: Asking): Promise<void> => {
    flight.askers.delete(asking);
    if (flight.askers.size > 0) return;
    // Most have landed: there is nothing to call off.
    if (!flight.landed) flight.control.abort();
    await flight.ended;
    if (flight.dir !== null) await rm(flight.dir, { recursive: true, force: true }).catch(() => {});
    open.delete(flight);
  };

  const ask = async (spec: JobSpec, identity: string, asker: Asker | null, signal?: AbortSignal) => {
    const at = new Date().toISOString();
    const asked = performance.now();
    const asking = { spec, asker };
    const flight = board(identity, asking);
    const first = flight.askers.size === 1;
    let outcome: JobOutcome = cancelled().outcome;
    try {
      const ended = await unlessAborted(flight.ended, signal);
      if (ended !== null) {
        await restoreOutputs(ended.result, spec.folder, spec.outputs);
        outcome = ended.result.outcome;
      }
    } catch (error) {
      outcome = lost(messageOf(error)).outcome;
    }
    await leave(flight, asking);
    // Whoever takes it first speaks for the process, also where the first asker has left.
    const { ran } = flight;
    delete flight.ran;
    const { kind, sandbox = null } = outcome;
    const hit = ran === undefined && isResult(outcome);
    if (hit) totals.hits++;
    const waitMs = tenths(ran?.waitMs ?? (first ? 0 : performance.now() - asked));
    const { runMs = 0, slot = null } = ran ?? {};
    const ruled = spec.prune !== undefined;
    const took = { hit, waitMs, runMs, slot, gpus: spec.gpus, cpus: coresOf(spec), ruled };
    options.onJob?.({ identity, kind, ...(asker ?? NOBODY), ...took, sandbox, at });
    return outcome;
  };

  return {
    async run(spec, identity, signal, asker) {
      const stray = spec.outputs.find((path) => !isInside(path));
      if (stray !== undefined) return lost(`the output path ${stray} leaves the job's folder`).outcome;
      if (closing) return lost('the runner is closed').outcome;
      if (signal?.aborted) return cancelled().outcome;
      return ask(spec, identity, asker ?? null, signal);
    },
    stats: () => ({ ...totals, ...backend.usage() }),
    halted: backend.halted,
    async close() {
      closing = true;
      for (const flight of open) flight.control.abort();
      await Promise.all([...open].map((flight) => flight.ended));
      await backend.close();
    },
  };
}

const NOBODY = { trial: null, genome: null, task: null, job: null };

/** `JobLive` without whose it is. */
type Live = JobLive extends infer L ? (L extends JobLive ? Omit<L, 'identity' | 'asker'> : never) : never;

type Asking = { spec: JobSpec; asker: Asker | null };

/** One computation of an identity, and who waits for it. It is called off when nobody does any more. */
type Flight = {
  askers: Set<Asking>;
  control: AbortController;
  ended: Promise<Ran>;
  /** It has ended, and nobody boards it any more. */
  landed: boolean;
  /** Where large outputs stand until the last one has taken them. */
  dir: string | null;
  ran?: { waitMs: number; runMs: number; slot: string };
};

function isResult({ kind }: JobOutcome): boolean {
  return kind !== 'lost' && kind !== 'cancelled';
}

/** May another job be given this? A fault may pass; so may what killed a process within the sandbox. */
function isRepeatable(outcome: JobOutcome): boolean {
  return isResult(outcome) && !(outcome.kind === 'failed' && outcome.exitCode === 137);
}

/** The promise's value, or null as soon as the signal is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T | null> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(null);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
