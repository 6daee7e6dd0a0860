import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes, unnamedBytes } from './unnamed-files.ts';

/** More files than this, folders counted, no job may have. */
const mostFiles = 20_000;

/**
 * What a folder holds too much of: `disk`, more than `bytes` on the disk; `files`, more than `mostFiles` of them, or
 * folders into which we cannot look, closed ones and those deeper than a path can say. What `pids` hold there without a name
 * counts as well. Null when there is nothing.
 */
export function excessOf(dir: string, bytes: number, pids: readonly number[] = []): 'disk' | 'files' | null {
  const unnamed = unnamedBytes(dir, pids);
  if (unnamed === null) return 'files';
  const folders = [dir];
  let files = 0;
  let used = unnamed;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) folders.push(path);
        used += blockBytes * (lstatSync(path, { throwIfNoEntry: false })?.blocks ?? 0);
        if (used > bytes) return 'disk';
        if (++files > mostFiles) return 'files';
      }
    } catch (error) {
      // It may just have gone; else what it holds cannot be counted.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return 'files';
    }
  }
  return used > bytes ? 'disk' : null;
}
