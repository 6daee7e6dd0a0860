import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from './errors.ts';
import { exists, statOf } from './proc.ts';

/**
 * A process that holds a lock. `start` tells it from a later one with the same id; null where it is not known. `note` is
 * what it wants a successor to know, JSON.
 */
export type Holder = { pid: number; start: string | null; host: string; nonce: string; note?: unknown };

/** A lock that was taken; ends with `release`, or with the process. */
export type LockFile = { release(): void };

/**
 * Takes the lock `path` in an existing folder; while a process holds it (this one included) gives that holder instead.
 * The lock of a process that is gone is taken over, once `clear`, called with each dead holder, gives true. Where a holder
 * named another `host`, we cannot know whether he is gone.
 *
 * The lock is the file `path`, put there with its contents by `link`, which fails if it exists. To take over from
 * a dead holder with nonce N is to create `path.N` likewise: of several who try, one succeeds. It then renames
 * that file to `path`. If it dies in between, it is itself a dead holder, whose successor creates the next link
 * of the chain. A late rival, whose dead holder has meanwhile been replaced, finds that its link is not part
 * of the chain from `path` any more, and starts again.
 */
export function takeLockFile(
  path: string,
  note?: unknown,
  clear: (dead: Holder) => boolean = () => true,
  host = hostname(),
): LockFile | Holder {
  const self: Holder = {
    pid: process.pid,
    start: startOf(process.pid),
    host,
    nonce: randomUUID(),
    ...(note === undefined ? {} : { note }),
  };
  const temporary = `${path}.${self.nonce}.tmp`;
  for (;;) {
    const last = lastOf(path);
    if (last && (isAlive(last, host) || !clear(last))) return last;
    try {
      writeFileSync(temporary, JSON.stringify(self));
      // Where somebody was faster, look again at who holds it.
      if (!succeed(path, temporary, last, self)) continue;
    } finally {
      rmSync(temporary, { force: true });
    }
    return {
      release() {
        if (read(path)?.nonce === self.nonce) rmSync(path, { force: true });
      },
    };
  }
}

/** Who took the lock `path` and did not release it, and whether that process still runs; null if nobody. Changes nothing. */
export function holderOf(path: string, host = hostname()): (Holder & { alive: boolean }) | null {
  const last = lastOf(path);
  return last && { ...last, alive: isAlive(last, host) };
}

/** Takes the place of `last`, which is dead, or null where there is no lock. */
function succeed(path: string, temporary: string, last: Holder | null, self: Holder): boolean {
  if (!last) return create(temporary, path);
  const successor = `${path}.${last.nonce}`;
  if (!create(temporary, successor)) return false;
  if (lastOf(path)?.nonce !== self.nonce) {
    rmSync(successor, { force: true });
    return false;
  }
  renameSync(successor, path);
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    // Earlier links of the chain, left by those who died while they took over; their holders are all dead.
    if (name.startsWith(prefix) && /^[0-9a-f-]{36}$/.test(name.slice(prefix.length)))
      rmSync(join(dirname(path), name), { force: true });
  }
  return true;
}

/** The holder at the end of the chain that begins at `path`; null if there is no lock. */
function lastOf(path: string): Holder | null {
  let last = read(path);
  for (let next = last; next; next = read(`${path}.${next.nonce}`)) last = next;
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
    throw new UserError(`${path} is not readable as a lock`, 'If no evolve process runs, delete that file.');
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

/** Whether the holder still runs; of a holder on another machine we must believe it. */
function isAlive(holder: Holder, host: string): boolean {
  if (holder.host !== host) return true;
  return holder.start === null ? exists(holder.pid) : startOf(holder.pid) === holder.start;
}

/**
 * When a process began, as the boot's id and clock ticks since then; null where there is no /proc or no such
 * process. A zombie has no start: it was killed, and only waits to be reaped.
 */
function startOf(pid: number): string | null {
  const fields = statOf(`/proc/${pid}`);
  if (fields === null || fields[0] === 'Z' || fields[0] === 'X') return null;
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${fields[19]}`;
  } catch {
    return null;
  }
}
