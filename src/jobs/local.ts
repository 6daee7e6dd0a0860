import { rm } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import { openCache } from './cache.ts';
import { cleanResult } from './clean-result.ts';
import { type Executor, startExecutor } from './executor.ts';
import type { JobOutcome, JobRunner, JobSpec } from './job.ts';
import { isInside, lost, type Result, restoreOutputs } from './result.ts';
import { detectSandbox, withoutBubblewrap } from './sandbox.ts';
import { createSlots, findInventory, type Slots } from './slots.ts';

/** What a job really took; a line of `jobs.jsonl`, no part of a run's identity. */
export type JobRecord = {
  identity: string;
  kind: JobOutcome['kind'];
  /** Given without running anything: from the cache, or by an equal job that was running. */
  hit: boolean;
  /** How long it waited for a slot, or for the equal job. */
  waitMs: number;
  /** How long its process ran; 0 for a hit. */
  runMs: number;
  /** `cpu-0`, or GPU UUIDs; null for a hit. */
  slot: string | null;
  /** When it was asked for, ISO 8601. */
  at: string;
};

export type LocalRunnerOptions = {
  /** Where results are kept (`runs/.cache/jobs`); null for nowhere. */
  cacheDir: string | null;
  /** Default: what this machine has. */
  slots?: Slots;
  /** Called once for every job asked for. Must not throw. */
  onJob?: (record: JobRecord) => void;
  /** `none` runs without bubblewrap although it is there. */
  sandbox?: 'auto' | 'none';
  /** Folders that no job may see: suites with their answers, runs. They must exist, and matter only where they lie under `/usr`. */
  hidden?: readonly string[];
};

/**
 * Runs jobs as processes of this machine, each in a copy of its folder of which only the declared outputs come back.
 * It takes nothing of the machine before the first job that is not in the cache.
 */
export function localRunner(options: LocalRunnerOptions): JobRunner {
  const { cacheDir, hidden = [] } = options;
  const cache = cacheDir === null ? null : openCache(cacheDir);
  const flights = new Map<string, Flight>();
  const open = new Set<Flight>();
  const totals = { run: 0, hits: 0, ms: 0 };
  let machine: Promise<Machine> | undefined;
  let slots = options.slots;
  let closing = false;

  const prepare = async (): Promise<Machine> => {
    const [sandbox, inventory] = await Promise.all([
      options.sandbox === 'none' ? withoutBubblewrap() : detectSandbox(),
      slots ? null : findInventory(),
    ]);
    if (inventory) slots = createSlots(inventory);
    return { slots: slots as Slots, executor: startExecutor({ sandbox, hidden }, cacheDir) };
  };

  const compute = async (flight: Flight, spec: JobSpec, identity: string): Promise<Result> => {
    const known = cache?.find(identity);
    if (known) return known;
    try {
      machine ??= prepare();
      const { slots, executor } = await machine;
      const { signal } = flight.control;
      const lease = await slots.lease(spec.gpus, signal);
      const gpus = lease.kind === 'gpu' ? lease.slot.split(',') : [];
      const { result: found, dir } = await executor.execute(spec, gpus, signal).finally(lease.release);
      const result = cleanResult(found);
      flight.dir = dir;
      flight.ran = { waitMs: lease.waitMs, runMs: result.outcome.ms, slot: lease.slot };
      totals.run++;
      totals.ms += result.outcome.ms;
      if (cache && isRepeatable(result.outcome)) await cache.keep(identity, result);
      return result;
    } catch (error) {
      return lost(messageOf(error));
    }
  };

  const board = (spec: JobSpec, identity: string): Flight => {
    const flying = flights.get(identity);
    if (flying) return flying;
    const flight: Flight = {
      users: 0,
      control: new AbortController(),
      result: Promise.resolve(lost('')),
      dir: null,
    };
    flight.result = compute(flight, spec, identity).finally(() => forget(identity, flight));
    flights.set(identity, flight);
    open.add(flight);
    return flight;
  };

  const forget = (identity: string, flight: Flight) => {
    if (flights.get(identity) === flight) flights.delete(identity);
  };

  const leave = async (identity: string, flight: Flight): Promise<void> => {
    if (--flight.users > 0) return;
    forget(identity, flight);
    flight.control.abort();
    await flight.result;
    if (flight.dir !== null) await rm(flight.dir, { recursive: true, force: true }).catch(() => {});
    open.delete(flight);
  };

  const ask = async (spec: JobSpec, identity: string, signal?: AbortSignal): Promise<JobOutcome> => {
    const at = new Date().toISOString();
    const asked = performance.now();
    const flight = board(spec, identity);
    const first = flight.users++ === 0;
    let outcome: JobOutcome = lost('cancelled').outcome;
    try {
      const result = await unlessAborted(flight.result, signal);
      if (result !== null) {
        await restoreOutputs(result, spec.folder, spec.outputs);
        outcome = result.outcome;
      }
    } catch (error) {
      outcome = lost(messageOf(error)).outcome;
    }
    await leave(identity, flight);
    // Whoever takes it first speaks for the process, also where the first asker has left.
    const { ran } = flight;
    delete flight.ran;
    const hit = ran === undefined && outcome.kind !== 'lost';
    if (hit) totals.hits++;
    const waitMs = tenths(ran?.waitMs ?? (first ? 0 : performance.now() - asked));
    const { kind } = outcome;
    options.onJob?.({ identity, kind, hit, waitMs, runMs: ran?.runMs ?? 0, slot: ran?.slot ?? null, at });
    return outcome;
  };

  return {
    async run(spec, identity, signal) {
      const stray = spec.outputs.find((path) => !isInside(path));
      if (stray !== undefined) return lost(`the output path ${stray} leaves the job's folder`).outcome;
      if (closing) return lost('the runner is closed').outcome;
      if (signal?.aborted) return lost('cancelled').outcome;
      return ask(spec, identity, signal);
    },
    stats: () => ({ ...totals, ...(slots?.usage() ?? { busy: 0, slots: 0 }) }),
    async close() {
      closing = true;
      for (const flight of open) flight.control.abort();
      await Promise.all([...open].map((flight) => flight.result));
      await (await machine?.catch(() => null))?.executor.close();
    },
  };
}

type Machine = { slots: Slots; executor: Executor };

/** One computation of an identity, and how many wait for it. It is called off when nobody does any more. */
type Flight = {
  users: number;
  control: AbortController;
  result: Promise<Result>;
  /** Where large outputs stand until the last one has taken them. */
  dir: string | null;
  ran?: { waitMs: number; runMs: number; slot: string };
};

/** May another job be given this? A fault may pass; so may what killed a process within the sandbox. */
function isRepeatable(outcome: JobOutcome): boolean {
  return outcome.kind !== 'lost' && !(outcome.kind === 'failed' && outcome.exitCode === 137);
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
