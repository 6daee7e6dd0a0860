import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lifeOf, owner } from '../../owner.ts';

/**
 * Where control groups can be made. A group of version 2 is one folder under `dirs[0]`, one of version 1 a folder for its
 * memory under `dirs[0]` and another for its processes under `dirs[1]`.
 */
export type CgroupPlace =
  | { kind: 'cgroup v2'; dirs: [string] }
  | { kind: 'cgroup v1'; dirs: [string, string] };

/** Processes whose memory and number the kernel bounds together. */
export type Cgroup = {
  /** A process joins, with all that it will start, by writing `0` to each of these files. */
  doors: string[];
  /**
   * Whether it has run into a bound: some of it was ended for want of memory, or a process could not be started.
   * `machine`: it was ended for want of memory although it had not used up its own.
   */
  struck(): 'memory' | 'processes' | 'machine' | null;
  /** Ends all that is in it; where that is nothing, it is removed. */
  kill(): void;
  /** Ends what is in it and removes it, as far as that can be done within some seconds. */
  remove(): Promise<void>;
};

/** Makes an empty group; `processes` counts threads as well. Throws where the system refuses. */
export function makeCgroup(
  { kind, dirs }: CgroupPlace,
  bounds: { memoryMb: number; processes: number },
): Cgroup {
  const name = `${prefix}${owner()}.${made++}`;
  const folders = dirs.map((dir) => join(dir, name));
  const [memory, pids] = [folders[0] as string, folders.at(-1) as string];
  const bytes = bounds.memoryMb * 2 ** 20;
  const kill = () => {
    if (folders.filter((folder) => !isRemoved(folder)).length === 0) return;
    // Nothing can be started any more, so that what is listed next is all.
    attempt(() => writeFileSync(join(pids, 'pids.max'), '0'));
    if (kind === 'cgroup v1' || !attempt(() => writeFileSync(join(pids, 'cgroup.kill'), '1', { flag: 'r+' })))
      for (const folder of folders) killMembers(folder);
  };
  const remove = async () => {
    for (let wait = 1; wait < 2000; wait *= 2) {
      const left = folders.filter((folder) => !isRemoved(folder));
      if (left.length === 0) return;
      kill();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  };
  try {
    for (const folder of folders) mkdirSync(folder);
    if (kind === 'cgroup v2') {
      writeFileSync(join(memory, 'memory.max'), String(bytes));
      attempt(() => writeFileSync(join(memory, 'memory.swap.max'), '0', { flag: 'r+' }));
      attempt(() => writeFileSync(join(memory, 'memory.oom.group'), '1', { flag: 'r+' }));
    } else {
      writeFileSync(join(memory, 'memory.limit_in_bytes'), String(bytes));
      attempt(() =>
        writeFileSync(join(memory, 'memory.memsw.limit_in_bytes'), String(bytes), { flag: 'r+' }),
      );
    }
    writeFileSync(join(pids, 'pids.max'), String(bounds.processes));
  } catch (error) {
    for (const folder of folders) isRemoved(folder);
    throw error;
  }
  return {
    doors: folders.map((folder) => join(folder, 'cgroup.procs')),
    struck() {
      const events = kind === 'cgroup v2' ? 'memory.events' : 'memory.oom_control';
      if (counter(join(memory, events), 'oom_kill') > 0) {
        // Version 1 counts no refusals on every kernel.
        const ownFault =
          kind === 'cgroup v2'
            ? counter(join(memory, events), 'oom') > 0
            : Number(readFileSync(join(memory, 'memory.max_usage_in_bytes'), 'latin1')) > 0.95 * bytes;
        return ownFault ? 'memory' : 'machine';
      }
      return counter(join(pids, 'pids.events'), 'max') > 0 ? 'processes' : null;
    },
    kill,
    remove,
  };
}

/**
 * Ends and removes the groups that owners left here who are gone for certain.
 */
export function sweepCgroups({ dirs }: CgroupPlace): void {
  for (const dir of dirs) {
    for (const name of readdirSync(dir)) {
      if (!name.startsWith(prefix) || lifeOf(name.slice(prefix.length)) !== 'gone') continue;
      killMembers(join(dir, name));
      isRemoved(join(dir, name));
    }
  }
}

/** The processes in a group, but for those that this process cannot name: their number is given as 0. */
export function membersOf(folder: string): number[] {
  const listed = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').map(Number);
  return listed.filter((pid) => pid > 0);
}

const prefix = 'evolve-';
/** The group that takes what stood where groups are to be made: `dirs` themselves may then hold no process. */
export const home = `${prefix}home`;
let made = 0;

function killMembers(folder: string): void {
  attempt(() => {
    for (const pid of membersOf(folder)) attempt(() => process.kill(pid, 'SIGKILL'));
  });
}

/** Removes an empty group; false where it is not empty yet. */
function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** The value of a line `name value`; 0 where there is none, or no such file. */
function counter(file: string, name: string): number {
  try {
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(file, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function attempt(act: () => unknown): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}
