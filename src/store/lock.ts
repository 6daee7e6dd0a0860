import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { type Holder, holderOf, type LockFile, takeLockFile } from '../lock-file.ts';
import { storageError } from './storage-error.ts';

/**
 * Takes the lock of the run in `dir`, an existing folder. Throws a `UserError` while another process holds it
 * (so does a second call in this process). The lock of a process that is gone is taken over.
 */
export function takeLock(dir: string): LockFile {
  const path = join(dir, 'lock');
  let taken: LockFile | Holder;
  try {
    taken = takeLockFile(path);
  } catch (error) {
    throw storageError(path, error);
  }
  if ('pid' in taken) throw held(dir, taken);
  return taken;
}

/** Throws a `UserError` while a process holds the lock of the run in `dir`; changes nothing. */
export function refuseHeld(dir: string): void {
  const writer = writerOf(dir);
  if (writer?.alive) throw held(dir, writer);
}

/** Who writes the run in `dir`, and whether that process still runs; null if nobody does, or it ended in good order. */
export function writerOf(dir: string): { pid: number; host: string; alive: boolean } | null {
  return holderOf(join(dir, 'lock'));
}

function held(dir: string, holder: Pick<Holder, 'pid' | 'host'>): UserError {
  const elsewhere = holder.host !== hostname();
  return new UserError(
    `run folder ${dir} is being written by process ${holder.pid}${elsewhere ? ` on ${holder.host}` : ''}`,
    elsewhere
      ? `Wait until it is done; if it is gone for certain, delete ${join(dir, 'lock')}.`
      : 'Wait until it is done or stop it, or give another --out.',
  );
}
