import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  futimesSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from './errors.ts';
import { type Life, lifeOf, owner } from './owner.ts';

/** Who holds a lock, as its file says it. */
export type Holder = {
  /** The process, for people. */
  pid: number;
  host: string;
  /** The process for programs, see `owner`; empty in locks of earlier versions. */
  owner: string;
  nonce: string;
  /** What the holder wants a successor to know, JSON. */
  note?: unknown;
};

/** A lock that another process holds, or this one already. */
export type Held = Holder & {
  life: Life;
  /** Changes with each sign of life; null for a holder that gives none. */
  beat: string | null;
  /** When the last sign of life was given, in ms by the clock of whoever gave it. */
  beatAt: number;
};

/** A lock that was taken. It ends with `release`, or with the process. */
export type LockFile = {
  /** False once another process has taken it over, or somebody has deleted its file: then its owner must write no more. */
  isOurs(): boolean;
  release(): void;
};

export type LockOptions = {
  note?: unknown;
  /** Called with a holder that is gone; only when it gives true is the lock taken over. */
  clear?(dead: Holder): boolean;
  /** Says of a holder whose life is unknown whether it counts as gone (see `watchHolders`); never, unless told. */
  isSilent?(held: Held): boolean;
};

/** What watching a holder has shown: a sign of life, none in all that time, or none so far. */
export type Sign = 'moving' | 'silent' | 'watched';

/** How often a holder gives a sign of life, in ms. */
export const BEAT_MS = 3000;
/** Looks at an unmoved lock, a beat apart, after which its holder counts as gone. */
export const SILENT_LOOKS = 10;

/**
 * Takes the lock `path` in an existing folder, or gives the holder that has it (this process included).
 * - Of a holder whose life is unknown the lock is left to it, unless `isSilent` says otherwise.
 * - Throws the system's error where the folder cannot be written.
 *
 * The lock is the file `path`; it is made so that of several who try, one succeeds. To take over from a dead holder with
 * nonce N is to make `path.N` likewise. Its maker then renames that file to `path`. If it dies in between, it is itself a
 * dead holder, whose successor makes the next link of the chain. A late rival, whose dead holder has meanwhile been
 * replaced, finds that its link is not part of the chain from `path` any more, and starts again.
 */
export function takeLockFile(path: string, options: LockOptions = {}): LockFile | Held {
  const { note, clear = () => true, isSilent = () => false } = options;
  const self: Holder = {
    pid: process.pid,
    host: hostname(),
    owner: owner(),
    nonce: randomUUID(),
    ...(note === undefined ? {} : { note }),
  };
  for (;;) {
    const last = lastOf(path);
    if (last && !(isGone(last, isSilent) && clear(last))) return last;
    const fd = succeed(path, last, self);
    // Where another process was faster, look again at who holds it.
    if (fd !== null) return keep(path, fd, self.nonce);
  }
}

/** Who took the lock `path` and did not release it; null if nobody. Changes nothing. */
export function holderOf(path: string): Held | null {
  return lastOf(path);
}

/**
 * Whether a holder seems to run, from a single look: one whose life is unknown does, unless its last sign of life is long
 * past. For people; a lock is taken over only after `watchHolders`.
 */
export function seemsAlive({ life, beat, beatAt }: Held): boolean {
  if (life !== 'unknown' || beat === null) return life !== 'gone';
  return Date.now() - beatAt < BEAT_MS * SILENT_LOOKS;
}

/**
 * Watches holders whose life is unknown for signs of life; to be called with each look at a lock. A holder is silent after
 * `SILENT_LOOKS` looks, each at least a beat after the one before, in which nothing has moved. Looks are counted rather
 * than minutes, so that a machine that slept, with its holder, takes nothing over. `now` is a steady clock, in ms.
 */
export function watchHolders(now: () => number = () => performance.now()) {
  let seen = { nonce: '', beat: null as string | null, looks: 0, at: 0 };
  return (held: Held): Sign => {
    const { nonce, beat } = held;
    if (beat === null) return 'moving';
    if (nonce !== seen.nonce || beat !== seen.beat) {
      const isMoving = nonce === seen.nonce;
      seen = { nonce, beat, looks: 0, at: now() };
      return isMoving ? 'moving' : 'watched';
    }
    if (now() - seen.at >= BEAT_MS) seen = { ...seen, looks: seen.looks + 1, at: now() };
    return seen.looks >= SILENT_LOOKS ? 'silent' : 'watched';
  };
}

/** Gives signs of life for a lock that was just taken, whose file `fd` is. */
function keep(path: string, fd: number, nonce: string): LockFile {
  const { ino, dev } = fstatSync(fd);
  let isLost = false;
  const isStillOurs = () => {
    const there = statSync(path, { throwIfNoEntry: false });
    // Some network file systems number a file anew at each look.
    return there !== undefined && ((there.ino === ino && there.dev === dev) || read(path)?.nonce === nonce);
  };
  const beating = setInterval(() => {
    try {
      isLost ||= read(path)?.nonce !== nonce;
      const now = new Date();
      if (!isLost) futimesSync(fd, now, now);
    } catch {
      // A disk that is away for a moment; where it stays away, what the lock is for fails by itself.
    }
  }, BEAT_MS).unref();
  return {
    isOurs() {
      isLost ||= !isStillOurs();
      return !isLost;
    },
    release() {
      clearInterval(beating);
      if (read(path)?.nonce === nonce) rmSync(path, { force: true });
      closeSync(fd);
    },
  };
}

function isGone(held: Held, isSilent: (held: Held) => boolean): boolean {
  return held.life === 'gone' || (held.life === 'unknown' && isSilent(held));
}

/** Takes the place of `last`, which is gone, or null where there is no lock; gives the open lock file, null for a rival's. */
function succeed(path: string, last: Holder | null, self: Holder): number | null {
  if (!last) return create(path, self);
  const successor = `${path}.${last.nonce}`;
  const fd = create(successor, self);
  if (fd === null) return null;
  if (lastOf(path)?.nonce !== self.nonce) {
    rmSync(successor, { force: true });
    closeSync(fd);
    return null;
  }
  renameSync(successor, path);
  const prefix = `${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    // Earlier links of the chain, left by those who died while they took over; their holders are all gone.
    if (name.startsWith(prefix) && NONCE.test(name.slice(prefix.length)))
      rmSync(join(dirname(path), name), { force: true });
  }
  return fd;
}

const NONCE = /^([0-9a-f-]{36}|empty-\d+)$/;

/** The holder at the end of the chain that begins at `path`; null if there is no lock. */
function lastOf(path: string): Held | null {
  let last = read(path);
  for (let next = last; next; next = read(`${path}.${next.nonce}`)) last = next;
  return last && { ...last, life: lifeOf(last.owner) };
}

function read(path: string): Omit<Held, 'life'> | null {
  let text: string;
  let stats: Stats;
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    stats = fstatSync(fd);
    text = readFileSync(fd, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  const sign = { beat: `${stats.mtimeMs}`, beatAt: stats.mtimeMs };
  // Made without hard links, and its maker has not written it yet, or died before it could.
  if (text === '')
    return { pid: 0, host: 'an unknown host', owner: '', nonce: `empty-${stats.ino}`, ...sign };
  try {
    const holder = JSON.parse(text) as Holder & { owner?: string };
    if (typeof holder.nonce !== 'string') throw new Error('no nonce');
    return {
      ...holder,
      owner: holder.owner ?? '',
      ...sign,
      ...(holder.owner === undefined && { beat: null }),
    };
  } catch {
    throw new UserError(`${path} is not readable as a lock`, 'If no evolve process runs, delete that file.');
  }
}

/** Makes a lock file, whole at once; null where there is one. Gives it open. */
function create(path: string, holder: Holder): number | null {
  const text = JSON.stringify(holder);
  const temporary = `${path}.${holder.nonce}.tmp`;
  const fd = openSync(temporary, 'wx');
  try {
    writeFileSync(fd, text);
    linkSync(temporary, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return null;
    if (!NO_HARD_LINKS.has(code)) throw error;
    return createWithoutLinks(path, text);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** What file systems say that have no hard links (FAT, exFAT, some network mounts). */
const NO_HARD_LINKS = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** The file is empty for a moment, or for good if we die in it. */
function createWithoutLinks(path: string, text: string): number | null {
  let fd: number;
  try {
    fd = openSync(path, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  }
  try {
    writeFileSync(fd, text);
    return fd;
  } catch (error) {
    rmSync(path, { force: true });
    closeSync(fd);
    throw error;
  }
}
