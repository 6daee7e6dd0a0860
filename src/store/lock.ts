import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import {
  BEAT_MS,
  type Held,
  holderOf,
  type LockFile,
  SILENT_LOOKS,
  type Sign,
  seemsAlive,
  takeLockFile,
  watchHolders,
} from '../lock-file.ts';
import { isOfThisRealm } from '../owner.ts';
import { storageError } from './storage-error.ts';

/** How a lock is waited for whose holder cannot be seen from here. */
export type Waiting = {
  /** Told once, before the wait. */
  say?(line: string): void;
  /** Ends the wait. */
  signal?: AbortSignal;
  /** Waits until the next look; for tests. */
  pause?(ms: number): Promise<void>;
};

/**
 * Takes the lock of the run in `dir`, an existing folder.
 * - The lock of a process that is gone is taken over.
 * - A process that cannot be seen from here (on another machine, in another container) is given half a minute for a sign of
 *   life; only without one is its lock taken over.
 * - Throws a `UserError` while another process holds it; so does a second call in this process.
 */
export async function takeLock(dir: string, waiting: Waiting = {}): Promise<LockFile> {
  const { say, signal, pause = (ms) => sleep(ms, undefined, { signal }).catch(() => {}) } = waiting;
  const path = join(dir, 'lock');
  const watch = watchHolders();
  for (let isFirst = true; ; isFirst = false) {
    let sign = 'watched' as Sign;
    const isSilent = (held: Held) => {
      sign = watch(held);
      return sign === 'silent';
    };
    const taken = attempt(path, isSilent);
    if ('release' in taken) return taken;
    if (taken.life === 'alive' || sign === 'moving' || signal?.aborted) throw heldError(dir, taken);
    if (isFirst) {
      say?.(
        `run folder ${dir} was being written by ${whoIs(taken)}, which cannot be seen from here; ` +
          `waiting for a sign of life, ${(BEAT_MS * SILENT_LOOKS) / 1000} s at most`,
      );
    }
    await pause(BEAT_MS);
  }
}

/** Throws a `UserError` while a process that we can see holds the lock of the run in `dir`; changes nothing. */
export function refuseHeld(dir: string): void {
  const held = holderOf(join(dir, 'lock'));
  if (held?.life === 'alive') throw heldError(dir, held);
}

/** Who writes the run in `dir`, and whether that process seems to run; null if nobody does, or it ended in good order. */
export function writerOf(dir: string): { pid: number; host: string; alive: boolean } | null {
  const held = holderOf(join(dir, 'lock'));
  return held && { pid: held.pid, host: held.host, alive: seemsAlive(held) };
}

function attempt(path: string, isSilent: (held: Held) => boolean): LockFile | Held {
  try {
    return takeLockFile(path, { isSilent });
  } catch (error) {
    throw storageError(path, error);
  }
}

function heldError(dir: string, held: Held): UserError {
  return new UserError(
    `run folder ${dir} is being written by ${whoIs(held)}`,
    held.life === 'alive'
      ? 'Wait until it is done or stop it, or give another --out.'
      : `Wait until it is done; if it is gone for certain, delete ${join(dir, 'lock')} to take the run over.`,
  );
}

function whoIs({ pid, host, owner }: Held): string {
  if (host !== hostname()) return `process ${pid} on ${host}`;
  return isOfThisRealm(owner) ? `process ${pid}` : `process ${pid} of another container or machine`;
}
