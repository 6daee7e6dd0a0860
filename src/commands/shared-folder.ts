import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { holderOf, takeLockFile } from '../lock-file.ts';
import { isAbandoned } from '../owner.ts';

/**
 * Makes the folder that a measurement shares with a cluster, and says what of earlier ones stands beside it whose processes were
 * killed: their jobs may be left. `close` removes it.
 */
export function openSharedFolder(root: string, name: string): { dir: string; dead: string[]; close(): void } {
  const dir = join(root, `${PREFIX}${name}`);
  mkdirSync(dir, { recursive: true });
  const lock = takeLockFile(join(dir, LOCK));
  const beside = readdirSync(root).filter((one) => one.startsWith(PREFIX));
  const dead = beside.map((one) => join(root, one)).filter(isDead);
  return {
    dir,
    dead,
    close() {
      if ('release' in lock) lock.release();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Rids the world of what those left, `clear` being false or an error where that cannot be done; then they stay. */
export async function sweep(
  dead: readonly string[],
  clear: (dir: string) => Promise<boolean>,
  say: (line: string) => void,
): Promise<void> {
  for (const dir of dead) {
    try {
      if (await clear(dir)) rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      say(`${dir}, of a measurement that was killed, cannot be cleared: ${messageOf(error)}`);
    }
  }
}

const PREFIX = 'slurm-';
const LOCK = 'lock';

/** One without a lock is just being made. */
function isDead(dir: string): boolean {
  try {
    const holder = holderOf(join(dir, LOCK));
    return holder !== null && isAbandoned(holder.owner, join(dir, LOCK));
  } catch {
    return false;
  }
}
