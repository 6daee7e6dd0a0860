import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join, sep } from 'node:path';
import { messageOf } from '../../errors.ts';
import { isAbandoned, isOfThisRealm, lifeOf, owner, procIsOurs } from '../../owner.ts';
import { makeOwnFolder } from './own-folder.ts';

/**
 * A place for the folders in which jobs run. It belongs to one process, which is in its name, and so is the one that had
 * started that.
 */
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
      makeOwnFolder(place);
      const base = realpathSync(place);
      sweep(base);
      const dir = mkdtempSync(join(base, `${owner()}.${owner(process.ppid)}.`));
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
 * Removes a folder in which a job has worked. Best effort: what cannot be removed is in nobody's way. A job may have
 * closed its folders, or put them deeper into each other than a path can say.
 */
export function removeTree(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    const script = 'chmod -R u+rwx "$0"; rm -rf "$0"';
    spawnSync('/bin/sh', ['-c', script, dir], { stdio: 'ignore', env: { PATH: '/usr/bin:/bin' } });
  }
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

/** Clears the scratch places under `base` whose owners are gone. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const dir = join(base, name);
    if (!isAbandoned(name, dir)) continue;
    endWorkersIn(dir);
    removeTree(dir);
  }
}

/**
 * Ends what a process that is no more (`dead`, its `owner`) had at work under `places`: the process that it had started to run
 * its jobs, and these. True when there was nothing left to end.
 */
export function endWorkOf(dead: string, places: readonly string[]): boolean {
  let left = 0;
  for (const place of places) {
    for (const name of attempt(() => readdirSync(place), [])) {
      if (!name.includes(`.${dead}.`)) continue;
      // Its jobs are tied to it, and go with it.
      if (isOfThisRealm(name) && lifeOf(name) === 'alive') left += end(Number(name.split('.')[1]));
      left += attempt(() => endWorkersIn(join(realpathSync(place), name)), 0);
    }
  }
  return left === 0;
}

/**
 * Ends every process that works in `dir` or has it mounted: that shows whose it was. Most have died with their runner;
 * this meets what had left its group, and a sandbox that was just being set up. Gives how many there were.
 */
function endWorkersIn(dir: string): number {
  let found = 0;
  // Mounts are told by their place on their file system, which is not the one in `dir` where that is not the root's; the
  // folder's name is like no other.
  const mark = `/${basename(dir)}/`;
  // Its numbers would name other processes.
  if (!procIsOurs()) return 0;
  for (const pid of attempt(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const cwd = attempt(() => readlinkSync(join('/proc', pid, 'cwd')), '');
    const mounts = attempt(() => readFileSync(join('/proc', pid, 'mountinfo'), 'utf8'), '');
    if (!cwd.startsWith(dir + sep) && !mounts.includes(mark)) continue;
    found += end(Number(pid));
  }
  return found;
}

function end(pid: number): 1 {
  // It may just have ended, or belong to somebody else.
  attempt(() => process.kill(pid, 'SIGKILL'), true);
  return 1;
}

function attempt<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}
