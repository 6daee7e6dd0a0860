import type { JobSpec } from '../job.ts';
import { untilEmpty } from '../sandbox/namespace.ts';
import { type CgroupPlace, makeCgroup } from './cgroup.ts';
import { findCgroupPlace } from './cgroup-place.ts';
import { excessOf } from './disk-use.ts';
import { isInMemory, sandboxFiles } from './memory-files.ts';
import type { Stop } from './process.ts';
import { type ProcessTree, processTree } from './process-tree.ts';

/** How the limits of jobs are held on this machine. */
export type LimitLevel = {
  memory: CgroupPlace['kind'] | 'a watch';
  processes: CgroupPlace['kind'] | 'a watch';
  disk: 'a watch';
};

/** The level on this machine, found by trying, once a process. */
export async function limitLevel(): Promise<LimitLevel> {
  const level = (await cgroupPlace())?.kind ?? 'a watch';
  return { memory: level, processes: level, disk: 'a watch' };
}

/** Where groups can be made here, found once a process; null where nowhere. */
export function cgroupPlace(): Promise<CgroupPlace | null> {
  place ??= findCgroupPlace();
  return place;
}

/** What a job is held to where its spec does not say: as much on the disk as in memory, and so many threads. */
export function limitsOf({ limits, ...timed }: Timed & Pick<JobSpec, 'limits'>) {
  const { memoryMb, diskMb = memoryMb, processes = 512 } = limits;
  return { ...limits, diskMb, processes, wall: isTimed(timed) };
}

/** Is the job's budget time as it passes? */
export function isTimed({ clock, gpus }: Timed): boolean {
  return clock === 'wall' || gpus > 0;
}

/** After how many seconds, as they pass, a job is ended in any case; where its budget is CPU time, a safety net. */
export function deadlineOf(spec: Timed & { limits: { seconds: number } }): number {
  return isTimed(spec) ? spec.limits.seconds : 10 * spec.limits.seconds + 30;
}

type Timed = Pick<JobSpec, 'clock' | 'gpus'>;

/** What Node itself takes before the first line of a program: stacks and heap of its threads (measured: 60 to 100). */
export const nodeOverheadMb = 128;

/** Holds one job to its limits on memory, processes and disk. */
export type Hold = {
  /** By these files its first process joins its group; see `Cgroup`. */
  doors: string[];
  /** Looks at the job whose first process is `root`: why to stop it, or null. */
  look(root: number): Stop | null;
  /**
   * Was one of its processes seen to go on with more CPU time than it may have? It ignores what the system then tells it, and is
   * killed by it a few seconds later.
   */
  overran(): boolean;
  /** Does the job wait by itself, not for its share of the machine? */
  waits(root: number): boolean;
  /** Ends what has left the group of the process `root`, which has ended. */
  end(root: number): void;
  /** Lets go of what is held, and says what it has run into in the end; `machine` had no memory left for it. */
  close(): Promise<Stop | 'machine' | null>;
};

/**
 * Prepares to hold a job that works in the folder `work`. `place` null: by watching it. `status`: where its sandbox names its
 * first process, with which all others end; null without one. Throws where no group can be made.
 */
export function holdJob(
  place: CgroupPlace | null,
  limits: ReturnType<typeof limitsOf>,
  work: string,
  status: string | null,
): Hold {
  const { processes, diskMb } = limits;
  // Above what a single process is given (RLIMIT_DATA), so that where one alone asks for too much it is told so itself,
  // on every machine. The rest is for the sandbox, and for what the kernel counts beside.
  const memoryMb = limits.memoryMb + nodeOverheadMb + 64;
  // The kernel counts files in memory as memory; how much of it they may be, the watch tells.
  const filesMb = isInMemory(work) ? diskMb : 0;
  const group = place && makeCgroup(place, { memoryMb: memoryMb + filesMb, processes });
  let tree: ProcessTree | null = null;
  let atEnd: Stop | 'machine' | null = null;
  let overran = false;
  let leader: number | null = null;
  const struck = (root: number): Stop | 'machine' | null => {
    const why = group?.struck() ?? null;
    if (why !== null) return why;
    tree ??= processTree(root);
    if (tree.count() > processes) return 'processes';
    overran ||= !limits.wall && tree.cpuSeconds() > Math.ceil(limits.seconds);
    const files = status === null ? 0 : sandboxFiles(status);
    return tree.bytes(memoryMb * 2 ** 20, files) > memoryMb * 2 ** 20 ? 'memory' : null;
  };
  const excess = (pids: number[] = []) => excessOf(work, diskMb * 2 ** 20, pids);
  return {
    doors: group?.doors ?? [],
    look(root) {
      const why = struck(root);
      return (why === 'machine' ? null : why) ?? excess(tree?.pids());
    },
    overran: () => overran,
    waits: (root) => processTree(root).waits(limits.seconds),
    end(root) {
      leader = root;
      // Asked first: killing refuses processes as well.
      atEnd = group?.struck() ?? null;
      if (group) group.kill();
      else if (status === null) (tree ?? processTree(root)).kill(work);
    },
    async close() {
      await group?.remove();
      if (status !== null && leader !== null) await untilEmpty(status, leader);
      return atEnd ?? excess();
    },
  };
}

let place: Promise<CgroupPlace | null> | undefined;
