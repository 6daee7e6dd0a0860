import { statfsSync, statSync } from 'node:fs';
import { firstInside } from '../sandbox/namespace.ts';

/** Does a folder lie in memory? */
export function isInMemory(dir: string): boolean {
  return statfsSync(dir).type === tmpfs;
}

/** How many bytes a sandbox has in its own `/tmp` and `/dev/shm`, which lie in memory. `status`: see `firstInside`. */
export function sandboxFiles(status: string): number {
  const pid = firstInside(status);
  return pid === null ? 0 : ['/tmp', '/dev/shm'].reduce((sum, dir) => sum + usedIn(pid, dir), 0);
}

function usedIn(pid: number, dir: string): number {
  try {
    const inside = `/proc/${pid}/root${dir}`;
    // While the sandbox is being set up these are still ours.
    if (statSync(inside).dev === statSync(dir, { throwIfNoEntry: false })?.dev) return 0;
    const { type, blocks, bfree, bsize } = statfsSync(inside);
    return type === tmpfs ? (blocks - bfree) * bsize : 0;
  } catch {
    return 0;
  }
}

/** TMPFS_MAGIC of statfs(2). */
const tmpfs = 0x01021994;
