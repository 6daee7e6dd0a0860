import { accessSync, constants, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { Event, RunIdentity } from '../event.ts';
import type { Genome } from '../genome/genome.ts';
import type { Json } from '../json.ts';
import type { LockFile } from '../lock-file.ts';
import { redactDeep } from '../secrets.ts';
import { shellWord } from '../shell-word.ts';
import { apply, emptyState, type State } from '../state.ts';
import { writeCatalog } from './catalog.ts';
import { genomeStore } from './genomes.ts';
import { refuseOtherIdentity } from './identity.ts';
import { jobsLog } from './jobs-log.ts';
import { type JournalEnd, openJournal, type Replay, readJournal } from './journal.ts';
import { refuseHeld, takeLock, type Waiting, writerOf } from './lock.ts';
import { replaceFile } from './replace-file.ts';
import { storageError } from './storage-error.ts';

/** A run's folder that this process writes. Its layout is DESIGN 9. */
export type Run = {
  dir: string;
  /** The fold over the journal; changed by `record` only. `identity` is null where nothing is journalled yet. */
  state: State;
  /** What people should be told about how the run was found; null if nothing. */
  notice: string | null;
  /** Applies the event to the state and journals it. Throws a `UserError` when it cannot be written. */
  record(event: Event): void;
  /** Resolves when all that was recorded and saved so far is on the disk; before an effect, and at barriers. */
  commit(): Promise<void>;
  /** At a barrier: commits, then brings `run.json` up to date. */
  checkpoint(): Promise<void>;
  saveGenome(id: string, genome: Genome): Promise<void>;
  loadGenome(id: string): Promise<Genome>;
  /** The folder of a trial; not created here. */
  trialDir(id: string): string;
  /** Notes what a job took, in `jobs.jsonl`; a failure to write it is told at the next commit. */
  logJob(line: { [key: string]: Json }): void;
  /** Replaces `memory.md`. */
  writeMemory(text: string): Promise<void>;
  /** Commits and gives the lock back. */
  close(): Promise<void>;
};

/** A run's folder that is only read: by `report`, `show`, `compare`; also while another process writes it. */
export type RunReading = Pick<Run, 'dir' | 'state' | 'notice' | 'loadGenome' | 'trialDir'>;

/** What stands at `--out`, and that a run with this identity may go there. */
type Found = { exists: boolean; state: State; end: JournalEnd };

const JOURNAL = 'journal.jsonl';

/**
 * Opens the run in `out` for writing, or makes it: a missing or empty folder becomes a new run, a run with the
 * same identity is resumed, anything else is refused with a `UserError` and nothing is touched (`checkOut`).
 * Without `out` it makes `<root>/<date>-<n>` with the first free n.
 */
export async function openRun(
  out: string | null,
  identity: RunIdentity,
  { root = 'runs', ...waiting }: Waiting & { root?: string } = {},
): Promise<Run> {
  let found = out === null ? null : await checkOut(out, identity);
  const dir = await makeRunFolder(out, root);
  found ??= await checkOut(dir, identity);
  const lock = await takeLock(dir, waiting);
  try {
    // Between look and lock another process may have gone on with the run, or made it.
    if (sizeOf(join(dir, JOURNAL)) !== found.end.size) found = await checkOut(dir, identity, true);
    const journal = await openJournal(join(dir, JOURNAL), found.end, lock.isOurs);
    removeLeftovers(dir);
    return writableRun(dir, found, journal, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Whether a run with this identity may be made or resumed in `out`; changes nothing. Rejects with a `UserError`
 * if it is a file, is read-only, holds something else than a run, a damaged journal, a run with another identity, or
 * one that another process is writing. With `locked` the caller holds the lock.
 */
export async function checkOut(out: string, identity: RunIdentity, locked = false): Promise<Found> {
  const dir = resolve(out);
  refuseUnwritable(dir);
  if (!existsSync(dir)) return { exists: false, state: emptyState(), end: { seq: 0, bytes: 0, size: 0 } };
  const entries = readdirSync(dir).filter((name) => !/^lock(\.|$)/.test(name));
  if (entries.includes('folds.json')) {
    throw new UserError(
      `${dir} holds the folds of a run`,
      `Give the same --folds to go on with it, or \`evolve resume ${shellWord(out)}\`.`,
    );
  }
  if (entries.length > 0 && !entries.includes(JOURNAL)) {
    throw new UserError(
      `${dir} is not empty and holds no run`,
      'Give a folder that is empty or does not exist, or the folder of a run to resume.',
    );
  }
  if (!locked) refuseHeld(dir);
  const state = emptyState();
  const end = await readJournal(join(dir, JOURNAL), (event) => apply(state, event));
  if (end.seq > 0) refuseOtherIdentity(dir, identityOf(dir, state), identity);
  return { exists: true, state, end };
}

/**
 * Reads the run in `dir` and changes nothing. `replay`, if given, sees every event after it is applied. Rejects with
 * a `UserError` if that is not a run, or its journal is damaged.
 */
export async function readRun(dir: string, replay?: Replay): Promise<RunReading> {
  refuseNoRun(dir);
  const state = emptyState();
  const end = await readJournal(join(dir, JOURNAL), (event, line) => {
    apply(state, event);
    replay?.(event, line);
  });
  const writer = state.identity ? null : writerOf(dir);
  if (writer?.alive) {
    throw new UserError(
      `${dir} has not begun yet: process ${writer.pid} prepares it`,
      'Ask again in a moment.',
    );
  }
  identityOf(dir, state);
  const genomes = genomeStore(dir);
  return { dir, state, notice: noticeOf(dir, end), loadGenome: genomes.load, trialDir: trialDirOf(dir) };
}

/** Throws a `UserError` where there is no run in `dir`. */
export function refuseNoRun(dir: string): void {
  if (existsSync(join(dir, JOURNAL))) return;
  if (existsSync(join(dir, 'folds.json'))) {
    throw new UserError(
      `${dir} holds the folds of a run`,
      `Give one of them, such as ${join(dir, 'fold-1')}, or \`evolve report ${shellWord(dir)}\` for all together.`,
    );
  }
  throw new UserError(
    existsSync(dir) ? `${dir} is not a run: it has no ${JOURNAL}` : `there is no run ${dir}`,
    'Give the folder of a run, such as runs/2026-01-31-1.',
  );
}

function writableRun(
  dir: string,
  { state, end }: Found,
  journal: Awaited<ReturnType<typeof openJournal>>,
  lock: LockFile,
): Run {
  const genomes = genomeStore(dir);
  const jobs = jobsLog(join(dir, 'jobs.jsonl'));
  const commit = async () => {
    // The journal last: what it says of genomes must hold when it is read after a loss of power.
    await genomes.commit();
    jobs.commit();
    await journal.commit();
  };
  return {
    dir,
    state,
    notice: noticeOf(dir, end),
    record(told) {
      // Without values of secret variables, here and there alike: the state is what the journal says.
      const event = redactDeep(told);
      // First the state, which refuses a contradiction, so that none gets into the journal.
      apply(state, event);
      journal.append(event);
    },
    commit,
    async checkpoint() {
      await commit();
      await writeCatalog(dir, state);
    },
    saveGenome: genomes.save,
    loadGenome: genomes.load,
    trialDir: trialDirOf(dir),
    logJob: jobs.append,
    writeMemory: (text) => replaceFile(join(dir, 'memory.md'), text),
    async close() {
      try {
        await commit();
      } finally {
        jobs.close();
        await journal.close().finally(() => lock.release());
      }
    },
  };
}

/** Makes the folder `out` and those above it; null for a new `<root>/<date>-<n>`. Gives its path. */
export async function makeRunFolder(out: string | null, root = 'runs'): Promise<string> {
  if (out === null) return await makeDatedFolder(root);
  const dir = resolve(out);
  try {
    await makeFolder(dir);
  } catch (error) {
    throw storageError(dir, error);
  }
  return dir;
}

/** Makes `<root>/<date>-<n>`, with today's date on this machine and the first n that is free. */
async function makeDatedFolder(root: string): Promise<string> {
  refuseUnwritable(resolve(root));
  const now = new Date();
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((n) => `${n}`.padStart(2, '0'))
    .join('-');
  try {
    await makeFolder(resolve(root));
    for (let n = 1; ; n++) {
      const dir = resolve(root, `${date}-${n}`);
      if (existsSync(dir)) continue;
      try {
        await mkdir(dir);
        return dir;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw storageError(root, error);
  }
}

/** Makes a folder and those above it, one by one: Node's own `recursive` never ends where a parent takes no folders (/proc). */
async function makeFolder(dir: string): Promise<void> {
  if (existsSync(dir)) return;
  await makeFolder(dirname(dir));
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Throws a `UserError` unless the folder itself if it exists, else the nearest one above it, is a folder and writable. */
export function refuseUnwritable(dir: string): void {
  let place = dir;
  while (!existsSync(place)) place = dirname(place);
  if (!statSync(place).isDirectory()) {
    throw new UserError(`${place} is a file, not a folder`, 'Give another --out.');
  }
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    const journal = join(place, JOURNAL);
    if (place === dir && existsSync(journal)) accessSync(journal, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw storageError(place, error);
  }
}

function identityOf(dir: string, state: State): RunIdentity {
  if (state.identity) return state.identity;
  throw new UserError(
    `${join(dir, JOURNAL)} does not begin with the start of a run`,
    'If the run was stopped before it began, delete the folder.',
  );
}

function noticeOf(dir: string, end: JournalEnd): string | null {
  if (end.size === end.bytes) return null;
  return `${join(dir, JOURNAL)}: line ${end.seq + 1} was cut off, by a crash or a full disk, and is dropped`;
}

/** What a crash left half-written. Temporary files of the lock may belong to another process that asks for it. */
function removeLeftovers(dir: string): void {
  for (const folder of [dir, join(dir, 'genomes')]) {
    if (!existsSync(folder)) continue;
    for (const name of readdirSync(folder)) {
      if (!name.endsWith('.tmp') || name.startsWith('lock.')) continue;
      rmSync(join(folder, name), { recursive: true, force: true });
    }
  }
}

function trialDirOf(dir: string): (id: string) => string {
  return (id) => join(dir, 'trials', id);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
