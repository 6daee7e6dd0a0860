import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, stat } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join, sep } from 'node:path';
import { messageOf } from '../errors.ts';

/** A place for the folders in which jobs run. It belongs to one process, which is in its name. */
export type Scratch = {
  /** Its real path. */
  dir: string;
  /** Makes an empty folder. */
  make(): Promise<string>;
  remove(): Promise<void>;
};

/**
 * Opens a scratch place under `base`, or under the system's temporary folder when nothing can be written there. On the
 * way it clears up after runners of this machine that were killed: ends what still works in their folders, and
 * removes these.
 */
export async function openScratch(base: string | null): Promise<Scratch> {
  const fallback = join(tmpdir(), `evolve-jobs-${userInfo().uid}`);
  const bases = base === null ? [fallback] : [base, fallback];
  let reason: unknown;
  for (const place of bases) {
    try {
      await mkdir(place, { recursive: true, mode: 0o700 });
      const under = await realpath(place);
      await sweep(under);
      const dir = await mkdtemp(join(under, `${owner(process.pid)}.`));
      let made = 0;
      return {
        dir,
        async make() {
          const folder = join(dir, String(made++));
          await mkdir(folder);
          return folder;
        },
        remove: () => rm(dir, { recursive: true, force: true, maxRetries: 3 }),
      };
    } catch (error) {
      reason = error;
    }
  }
  throw new Error(`no place for jobs: ${messageOf(reason)}`);
}

/** Clears the scratch places under `base` whose owners are no more. */
async function sweep(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const [host, pid] = name.split('.');
    const dir = join(base, name);
    const here = host === hostKey;
    if (here && name.startsWith(`${owner(Number(pid))}.`)) continue;
    // The owner may live on another machine that shares this disk, unless it is long ago.
    const age = here ? Number.POSITIVE_INFINITY : Date.now() - (await modified(dir));
    if (age < 7 * 24 * 3600_000) continue;
    await endWorkersIn(dir);
    await rm(dir, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

/**
 * Ends every process that works in `dir` or has it mounted: that shows whose it was. Most have died with their runner;
 * this meets what had left its group, and a sandbox that was just being set up.
 */
async function endWorkersIn(dir: string): Promise<void> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const cwd = await readlink(join('/proc', pid, 'cwd')).catch(() => '');
    const mounts = await readFile(join('/proc', pid, 'mountinfo'), 'utf8').catch(() => '');
    if (!cwd.startsWith(dir + sep) && !mounts.includes(dir + sep)) continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended, or is not ours.
    }
  }
}

const hostKey = hostname().replaceAll(/[^\w-]/g, '-');

/** A process that runs now, as `host.pid.start`; a process number alone comes back after a while. */
function owner(pid: number): string {
  let start = 'x';
  try {
    // Field 22 of /proc/PID/stat; the name before it may hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] as string;
  } catch {
    if (!exists(pid)) start = 'gone';
  }
  return `${hostKey}.${pid}.${start}`;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function modified(dir: string): Promise<number> {
  return stat(dir).then(
    (found) => found.mtimeMs,
    () => Date.now(),
  );
}
