import { unlinkSync, writeFileSync } from 'node:fs';
import { constants, copyFile, mkdir, readFile, realpath, rm, statfs, symlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { messageOf } from '../errors.ts';
import { collectOutputs, isInside, openCache, type Result } from './cache.ts';
import { listInputs } from './inputs.ts';
import type { JobOutcome, JobRunner, JobSpec } from './job.ts';
import { cleanLog, judge, lastBytes, type Verdict } from './log.ts';
import { type Ended, runProcess } from './process.ts';
import { detectSandbox, launch, type Sandbox, withoutBubblewrap } from './sandbox.ts';
import { openScratch, type Scratch } from './scratch.ts';
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
  /** Folders that no job may see: suites with their answers, runs. Only needed where they lie under `/usr`. */
  hidden?: readonly string[];
};

/**
 * Runs jobs as processes of this machine. Each runs in a copy of its folder, and only its declared outputs come back:
 * what a job gives depends on its input files alone, and a job that is killed half way leaves nothing behind.
 */
export function localRunner(options: LocalRunnerOptions): JobRunner {
  const cache = options.cacheDir === null ? null : openCache(options.cacheDir);
  const flights = new Map<string, Flight>();
  const open = new Set<Flight>();
  const totals = { run: 0, hits: 0, ms: 0 };
  let machine: Promise<Machine> | undefined;
  let slots = options.slots;
  let closing = false;

  const prepare = async (): Promise<Machine> => {
    const [scratch, sandbox, inventory] = await Promise.all([
      openScratch(options.cacheDir === null ? null : join(options.cacheDir, 'tmp')),
      options.sandbox === 'none' ? withoutBubblewrap() : detectSandbox(),
      slots ? null : findInventory(),
    ]);
    if (inventory) slots = createSlots(inventory);
    return { scratch, sandbox, slots: slots as Slots, hidden: options.hidden ?? [] };
  };

  const compute = async (flight: Flight, spec: JobSpec, identity: string): Promise<Result> => {
    const known = cache?.find(identity);
    if (known) return known;
    try {
      machine ??= prepare();
      const { slots, scratch } = await machine;
      const lease = await slots.lease(spec.gpus, flight.control.signal);
      let ran: Ran;
      try {
        flight.dir = await scratch.make();
        ran = await execute(
          await machine,
          flight.dir,
          spec,
          lease.kind === 'gpu' ? lease.slot.split(',') : [],
          flight.control.signal,
        );
      } finally {
        lease.release();
      }
      flight.ran = { waitMs: lease.waitMs, runMs: ran.ms, slot: lease.slot };
      totals.run++;
      totals.ms += ran.ms;
      const result = await toResult(ran, spec, flight.dir);
      return cache && isRepeatable(result.outcome) ? await cache.keep(identity, result, flight.dir) : result;
    } catch (error) {
      return lost(messageOf(error));
    }
  };

  const board = (spec: JobSpec, identity: string): Flight => {
    const flying = flights.get(identity);
    if (flying) return flying;
    const flight: Flight = { users: 0, control: new AbortController(), result: Promise.resolve(lost('')) };
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
    if (flight.dir !== undefined) await rm(flight.dir, { recursive: true, force: true }).catch(() => {});
    open.delete(flight);
  };

  const ask = async (spec: JobSpec, identity: string, signal?: AbortSignal): Promise<JobOutcome> => {
    const at = new Date().toISOString();
    const asked = performance.now();
    const flight = board(spec, identity);
    const first = flight.users++ === 0;
    let outcome = lost('cancelled').outcome;
    try {
      const result = await unlessAborted(flight.result, signal);
      if (result !== null) {
        outcome = result.outcome;
        await restore(result, spec);
      }
    } catch (error) {
      outcome = lost(messageOf(error)).outcome;
    }
    await leave(identity, flight);
    // Whoever takes it first speaks for the process, also where the first asker has left.
    const ran = flight.ran;
    delete flight.ran;
    const hit = ran === undefined && outcome.kind !== 'lost';
    if (hit) totals.hits++;
    const waitMs = ran?.waitMs ?? (first ? 0 : performance.now() - asked);
    options.onJob?.({
      identity,
      kind: outcome.kind,
      hit,
      waitMs: tenths(waitMs),
      runMs: ran?.runMs ?? 0,
      slot: ran?.slot ?? null,
      at,
    });
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
      await machine?.then(({ scratch }) => scratch.remove()).catch(() => {});
    },
  };
}

type Machine = { scratch: Scratch; sandbox: Sandbox; slots: Slots; hidden: readonly string[] };

/** One computation of an identity, and how many wait for it. It is called off when nobody does any more. */
type Flight = {
  users: number;
  control: AbortController;
  result: Promise<Result>;
  /** Its scratch folder; stands until the last one has taken the outputs. */
  dir?: string;
  ran?: { waitMs: number; runMs: number; slot: string };
};

type Ran = { verdict: Verdict; ms: number };

/** Copies the job's inputs to `dir/work` and runs it there. */
async function execute(
  { sandbox, hidden }: Machine,
  dir: string,
  spec: JobSpec,
  gpus: string[],
  signal: AbortSignal,
): Promise<Ran> {
  const work = join(dir, 'work');
  const status = join(dir, 'status');
  await mkdir(work);
  const inputs = await listInputs(spec.folder, spec.outputs);
  for (const folder of new Set(inputs.map(dirname))) {
    if (folder !== '.') await mkdir(join(work, folder), { recursive: true });
  }
  const copy = (path: string) =>
    copyFile(join(spec.folder, path), join(work, path), constants.COPYFILE_FICLONE);
  await Promise.all(inputs.map(copy));
  const data = await realpath(join(spec.data.dir, sep));
  // The sandbox mounts the data instead.
  if (sandbox.bwrap === null) await symlink(data, join(work, 'data'));
  const { memoryMb, seconds, outputBytes } = spec.limits;
  const { aliases, ...started } = launch(sandbox, {
    command: spec.command,
    work,
    data,
    status,
    memoryMb,
    seconds,
    gpus,
    hidden,
  });
  // More than is asked for is kept: replacing paths makes it shorter, and a crash report is cut out of it.
  const ended = await runProcess({ ...started, seconds, outputBytes: outputBytes + 16_384 }, signal);
  const log = cleanLog(ended.output, aliases);
  const fault = await faultOfMachine(sandbox, ended, log, dir);
  const verdict: Verdict =
    fault === null ? judge(ended, log, spec.command[0] ?? '') : { kind: 'lost', reason: fault, log };
  return { verdict: { ...verdict, log: lastBytes(verdict.log, outputBytes) }, ms: tenths(ended.ms) };
}

/**
 * Failures that are not the job's, though they look it: the sandbox could not be set up (it says itself whether the
 * job has run, so no job can feign this), or the disk is full. Null when there is none.
 */
async function faultOfMachine(
  sandbox: Sandbox,
  ended: Ended,
  log: string,
  dir: string,
): Promise<string | null> {
  if (ended.cause !== 'exit' || ended.code === 0) return null;
  if (sandbox.bwrap !== null && log.startsWith('bwrap: ') && !log.startsWith('bwrap: execvp ')) {
    const status = await readFile(join(dir, 'status'), 'utf8').catch(() => '');
    if (!status.includes('"exit-code"')) return `the sandbox could not be set up: ${log.trim()}`;
  }
  if (/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(log)) {
    const { bavail, bsize } = await statfs(dir);
    if (bavail * bsize < 16 * 2 ** 20) return 'the disk is full';
  }
  return null;
}

async function toResult({ verdict, ms }: Ran, spec: JobSpec, dir: string): Promise<Result> {
  if (verdict.kind !== 'done') return { outcome: { ...verdict, ms }, files: [] };
  const files = await collectOutputs(join(dir, 'work'), spec.outputs);
  return { outcome: { ...verdict, ms, outputs: files.map((file) => file.path) }, files };
}

/** May another job be given this? A fault may pass; so may what killed a process within the sandbox. */
function isRepeatable(outcome: JobOutcome): boolean {
  return outcome.kind !== 'lost' && !(outcome.kind === 'failed' && outcome.exitCode === 137);
}

/** Makes the outputs in the job's folder those of the result: what an earlier job left there goes. */
async function restore(result: Result, spec: JobSpec): Promise<void> {
  if (result.outcome.kind === 'lost') return;
  for (const path of spec.outputs) {
    try {
      unlinkSync(join(spec.folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
        await rm(join(spec.folder, path), { recursive: true, force: true });
      }
    }
  }
  for (const { path, content } of result.files) {
    const target = join(spec.folder, path);
    if (path.includes('/')) await mkdir(dirname(target), { recursive: true });
    // Synchronous, because for a few kilobytes that is the cheaper way, and most jobs are hits.
    if (Buffer.isBuffer(content)) writeFileSync(target, content, { flag: 'wx' });
    else await copyFile(content.file, target, constants.COPYFILE_FICLONE);
  }
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

function lost(reason: string): Result {
  return { outcome: { kind: 'lost', reason, log: '', ms: 0 }, files: [] };
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
