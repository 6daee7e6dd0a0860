import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sep } from 'node:path';
import { statOf } from '../../proc.ts';

/** A process of this machine. `tasks` are its threads; `cpu` seconds it has had; `bytes` what of it is in memory, shared pages included. */
type Seen = {
  pid: number;
  parent: number;
  group: number;
  session: number;
  tasks: number;
  cpu: number;
  bytes: number;
};

/** A process and all that came from it, as far as that can be seen. */
export type ProcessTree = {
  /** How many threads it has in all. */
  count(): number;
  /**
   * How much of the memory is its own: at least `enough` bytes, or exactly how many. `files` are bytes of files that it has
   * in memory, mapped or not. As of the last `count`.
   */
  bytes(enough: number, files: number): number;
  /** The seconds of CPU of the process in it that has had most. As of the last `count`. */
  cpuSeconds(): number;
  /** Does all of it sleep, and has wanted less than so many seconds of CPU, had them or not? Then it waits by itself. */
  waits(seconds: number): boolean;
  /** Its processes, as of the last `count`. */
  pids(): number[];
  /** Ends all of it, and whatever works in `folder` or has it in its environment. */
  kill(folder: string): void;
};

/**
 * Follows the process `root`, which leads a session of its own. What it starts is known by its parent, its group or its
 * session, also after these have ended. What left all three between two looks is missed, and met by `kill` only where its
 * working folder or its environment still shows whose it is.
 */
export function processTree(root: number): ProcessTree {
  const known = new Set([root]);
  let members: Seen[] = [];
  const look = (seen: Seen[]) => {
    members = [];
    // Parents do not stand before their children where process numbers have come round.
    let rest = seen;
    for (let before = -1; before !== members.length; ) {
      before = members.length;
      rest = rest.filter((seen) => {
        if (![seen.pid, seen.parent, seen.group, seen.session].some((id) => known.has(id))) return true;
        known.add(seen.pid);
        members.push(seen);
        return false;
      });
    }
    known.clear();
    for (const { pid, group, session } of members) for (const id of [pid, group, session]) known.add(id);
    known.add(root);
  };
  return {
    count() {
      look(recent());
      return members.reduce((sum, { tasks }) => sum + tasks, 0);
    },
    bytes(enough, files) {
      const resident = members.reduce((sum, { bytes }) => sum + bytes, files);
      if (resident < enough) return resident;
      const own = members.map(ownBytes);
      const shared = own.reduce((sum, { shmem }) => sum + shmem, 0);
      // What is mapped of the files counts once.
      return own.reduce((sum, { anon }) => sum + anon, Math.max(shared, files));
    },
    cpuSeconds: () => Math.max(0, ...members.map(({ cpu }) => cpu)),
    pids: () => members.map(({ pid }) => pid),
    waits(seconds) {
      look(processes());
      const wanted = members.reduce((sum, { pid }) => sum + cpuWanted(pid), 0);
      return members.length > 0 && wanted < seconds;
    },
    kill(folder) {
      for (let round = 0; round < 20; round++) {
        const all = processes();
        look(all);
        const others = all.filter(({ pid }) => worksIn(pid, folder));
        const alive = new Set([...members, ...others].map(({ pid }) => pid));
        if (alive.size === 0) return;
        for (const pid of alive) end(pid);
      }
    },
  };
}

/** Outside a sandbox a job's folder is its home as well, and so stands in the environment of what it starts. */
function worksIn(pid: number, dir: string): boolean {
  try {
    const cwd = readlinkSync(`/proc/${pid}/cwd`);
    if (cwd === dir || cwd.startsWith(dir + sep)) return true;
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(dir);
  } catch {
    return false;
  }
}

let last: { seen: Seen[]; until: number } = { seen: [], until: 0 };

/**
 * Processes as of a moment ago: one look serves all jobs that run side by side, and takes no more than a twentieth of the
 * time, however many processes there are.
 */
function recent(): Seen[] {
  const began = performance.now();
  if (began < last.until) return last.seen;
  const seen = processes();
  const now = performance.now();
  last = { seen, until: now + Math.max(100, 20 * (now - began)) };
  return seen;
}

/** Seconds of CPU that a process has had and those that it was ready for; without end where it runs or awaits a disk. */
function cpuWanted(pid: number): number {
  let nanoseconds = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const at = `/proc/${pid}/task/${thread}`;
      if (/^[RD]/.test(statOf(at)?.[0] ?? '')) return Number.POSITIVE_INFINITY;
      const [had = 0, ready = 0] = readFileSync(`${at}/schedstat`, 'latin1').split(' ').map(Number);
      nanoseconds += had + ready;
    }
  } catch {
    // It has just ended, or the kernel does not count.
  }
  return nanoseconds / 1e9;
}

function processes(): Seen[] {
  const found: Seen[] = [];
  // Only Linux says so much of its processes.
  if (process.platform !== 'linux') return found;
  pageBytes ||= pageSize();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    const fields = statOf(`/proc/${name}`);
    if (fields === null || fields[0] === 'Z' || fields[0] === 'X') continue;
    const at = (index: number) => Number(fields[index]);
    found.push({
      pid,
      parent: at(1),
      group: at(2),
      session: at(3),
      tasks: at(17),
      cpu: (at(11) + at(12)) / ticksPerSecond,
      bytes: at(21) * pageBytes,
    });
  }
  return found;
}

/** Shared pages by their share, and none that are of files: those can be had again. */
function ownBytes({ pid, bytes }: Seen): { anon: number; shmem: number } {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const read = (name: string) =>
      1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
    const own = { anon: read('Pss_Anon'), shmem: read('Pss_Shmem') };
    return own.anon + own.shmem > 0 ? own : { anon: read('Pss'), shmem: 0 };
  } catch {
    return { anon: bytes, shmem: 0 };
  }
}

/** In which the system tells of CPU time (USER_HZ), on all machines that Node 20 runs on. */
const ticksPerSecond = 100;
let pageBytes = 0;

/** The unit in which the system counts; no interface of Node tells it. */
function pageSize(): number {
  const pages = Number(readFileSync('/proc/self/statm', 'latin1').split(' ')[1]);
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / pages));
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
