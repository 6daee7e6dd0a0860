import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { storageError } from './storage-error.ts';

/** Who writes to a run. `start` tells a process from a later one with the same id; null where it is not known. */
type Holder = { pid: number; start: string | null; host: string; nonce: string };

/** The right to write to a run; ends with `release`, or with the process. */
export type Lock = { release(): void };

/**
 * Takes the lock of the run in `dir`, an existing folder. Throws a `UserError` while another process holds it
 * (so does a second call in this process). The lock of a process that is gone is taken over.
 *
 * The lock is the file `lock`, put there with its contents by `link`, which fails if it exists. To take over from
 * a dead holder with nonce N is to create `lock.N` likewise: of several who try, one succeeds. It then renames
 * that file to `lock`. If it dies in between, it is itself a dead holder, whose successor creates the next link
 * of the chain. A late rival, whose dead holder has meanwhile been replaced, finds that its link is not part
 * of the chain from `lock` any more, and starts again.
 */
export function takeLock(dir: string): Lock {
  const self: Holder = {
    pid: process.pid,
    start: startOf(process.pid),
    host: hostname(),
    nonce: randomUUID(),
  };
  const root = join(dir, 'lock');
  const temporary = join(dir, `lock.${self.nonce}.tmp`);
  refuseHeld(dir);
  try {
    writeFileSync(temporary, JSON.stringify(self), { flag: 'wx' });
    while (!tryToTake(dir, root, temporary, self)) {
      // Somebody was faster; look again at who holds it.
    }
  } catch (error) {
    throw storageError(root, error);
  } finally {
    rmSync(temporary, { force: true });
  }
  return {
    release() {
      if (read(root)?.nonce === self.nonce) rmSync(root, { force: true });
    },
  };
}

/** Throws a `UserError` while a process holds the lock of the run in `dir`; changes nothing. */
export function refuseHeld(dir: string): void {
  const last = lastOf(dir);
  if (last && isAlive(last)) throw held(dir, last);
}

function tryToTake(dir: string, root: string, temporary: string, self: Holder): boolean {
  const dead = lastOf(dir);
  if (!dead) return create(temporary, root);
  if (isAlive(dead)) throw held(dir, dead);
  const successor = join(dir, `lock.${dead.nonce}`);
  if (!create(temporary, successor)) return false;
  if (lastOf(dir)?.nonce !== self.nonce) {
    rmSync(successor, { force: true });
    return false;
  }
  renameSync(successor, root);
  for (const name of readdirSync(dir)) {
    // Earlier links of the chain, left by those who died while they took over; their holders are all dead.
    if (/^lock\.[0-9a-f-]{36}$/.test(name)) rmSync(join(dir, name), { force: true });
  }
  return true;
}

/** The holder at the end of the chain that begins at `lock`; null if there is no lock. */
function lastOf(dir: string): Holder | null {
  let last = read(join(dir, 'lock'));
  for (let next = last; next; next = read(join(dir, `lock.${next.nonce}`))) last = next;
  return last;
}

function read(path: string): Holder | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return JSON.parse(text) as Holder;
  } catch {
    throw new UserError(
      `${path} is not readable as a lock`,
      'If no evolve process writes to this run, delete that file.',
    );
  }
}

function create(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function held(dir: string, holder: Holder): UserError {
  const elsewhere = holder.host !== hostname();
  return new UserError(
    `run folder ${dir} is being written by process ${holder.pid}${elsewhere ? ` on ${holder.host}` : ''}`,
    elsewhere
      ? `Wait until it is done; if it is gone for certain, delete ${join(dir, 'lock')}.`
      : 'Wait until it is done or stop it, or give another --out.',
  );
}

/** Whether the holder still runs; of a holder on another machine we must believe it. */
function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  if (holder.start !== null) return startOf(holder.pid) === holder.start;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process began, as the boot's id and clock ticks since then; null where there is no /proc or no such
 * process. A zombie has no start: it was killed, and only waits to be reaped.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the command in brackets and may hold anything; state is the 3rd, start the 22nd.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}
