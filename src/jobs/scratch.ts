import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join, sep } from 'node:path';
import { messageOf } from '../errors.ts';

/** A place for the folders in which jobs run. It belongs to one process, which is in its name. */
export type Scratch = {
  /** Its real path. */
  dir: string;
  /** Makes an empty folder. */
  make(): string;
  remove(): void;
};

/**
 * Opens a scratch place under the first of these folders in which one can be made. On the way it clears up after
 * owners that were killed on this machine: ends what still works in their folders, and removes these.
 */
export function openScratch(places: readonly string[]): Scratch {
  let reason: unknown;
  for (const place of places) {
    try {
      mkdirSync(place, { recursive: true, mode: 0o700 });
      const base = realpathSync(place);
      sweep(base);
      const dir = mkdtempSync(join(base, `${owner(process.pid)}.`));
      let made = 0;
      return {
        dir,
        make() {
          const folder = join(dir, String(made++));
          mkdirSync(folder);
          return folder;
        },
        remove: () => removeTree(dir),
      };
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`no place for jobs: ${messageOf(reason)}`);
}

/**
 * Where scratch may be, the best first. `small` jobs run in memory where there is enough of it: on a slow disk the few
 * files of a job take longer than Node's start. Others run beside the cache (`dir`, null if there is none).
 */
export function scratchPlaces(dir: string | null): { small: string[]; large: string[] } {
  const mine = `evolve-jobs-${userInfo().uid}`;
  const large = [...(dir === null ? [] : [join(dir, 'tmp')]), join(tmpdir(), mine)];
  return { small: memoryServes() ? [join(memory, mine), ...large] : large, large };
}

const memory = '/dev/shm';
const enoughMemory = 256 * 2 ** 20;

/** Is there a file system in memory, with enough room, on which programs may be run? */
function memoryServes(): boolean {
  try {
    const options =
      /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1] ?? 'noexec';
    const { bavail, bsize } = statfsSync(memory);
    return !options.split(',').includes('noexec') && bavail * bsize >= enoughMemory;
  } catch {
    return false;
  }
}

/** Clears the scratch places under `base` whose owners are no more. */
function sweep(base: string): void {
  const week = 7 * 24 * 3600_000;
  for (const name of readdirSync(base)) {
    const [host, pid] = name.split('.');
    const dir = join(base, name);
    const here = host === hostKey;
    if (here && name.startsWith(`${owner(Number(pid))}.`)) continue;
    // The owner may live on another machine that shares this disk, unless that is long ago.
    if (!here && Date.now() - statSync(dir).mtimeMs < week) continue;
    endWorkersIn(dir);
    removeTree(dir);
  }
}

/**
 * Ends every process that works in `dir` or has it mounted: that shows whose it was. Most have died with their runner;
 * this meets what had left its group, and a sandbox that was just being set up.
 */
function endWorkersIn(dir: string): void {
  for (const pid of attempt(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const cwd = attempt(() => readlinkSync(join('/proc', pid, 'cwd')), '');
    const mounts = attempt(() => readFileSync(join('/proc', pid, 'mountinfo'), 'utf8'), '');
    if (!cwd.startsWith(dir + sep) && !mounts.includes(dir + sep)) continue;
    // It may just have ended, or belong to somebody else.
    attempt(() => process.kill(Number(pid), 'SIGKILL'), true);
  }
}

const hostKey = hostname().replaceAll(/[^\w-]/g, '-');

/** A process that runs now, as `host.pid.start`; a process number alone comes back after a while. */
function owner(pid: number): string {
  // Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets.
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'), '');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return `${hostKey}.${pid}.${start ?? (exists(pid) ? 'x' : 'gone')}`;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Best effort: what cannot be removed is in nobody's way. */
function removeTree(dir: string): void {
  attempt(() => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }), undefined);
}

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}
