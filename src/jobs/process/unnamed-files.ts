import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { statOf } from '../../proc.ts';

/** The unit of `blocks`, on every file system. */
export const blockBytes = 512;

/**
 * How many bytes of the file system of `dir` processes hold in files that have no name any more, open ones and those mapped
 * alone; of the latter, of which only that much is told, as much as is mapped. Null where one of them lets nobody look.
 */
export function unnamedBytes(dir: string, pids: readonly number[]): number | null {
  const { dev } = lstatSync(dir);
  const found = new Map<number, number>();
  for (const pid of pids) {
    try {
      for (const [file, bytes] of openOf(pid, dev)) found.set(file, bytes);
    } catch (error) {
      if (isHidden(pid, error)) return null;
    }
  }
  const mapped = new Map<number, number>();
  for (const pid of pids) {
    for (const [file, bytes] of mappedOf(pid, dir))
      if (!found.has(file)) mapped.set(file, Math.max(bytes, mapped.get(file) ?? 0));
  }
  return [...found.values(), ...mapped.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function openOf(pid: number, dev: number): [file: number, bytes: number][] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    const stats = statSync(join(folder, fd), { throwIfNoEntry: false });
    if (!stats?.isFile() || stats.nlink > 0 || stats.dev !== dev) return [];
    return [[stats.ino, stats.blocks * blockBytes]];
  });
}

/** Inside a sandbox `dir` is `/work`. */
function mappedOf(pid: number, dir: string): [file: number, bytes: number][] {
  let maps: string;
  try {
    maps = readFileSync(`/proc/${pid}/maps`, 'latin1');
  } catch {
    return [];
  }
  return maps.split('\n').flatMap((line) => {
    const [, from, to, offset, file, path = ''] =
      /^(\w+)-(\w+) \S+ (\w+) \S+ (\d+) +(\/.*) \(deleted\)$/.exec(line) ?? [];
    if (!path.startsWith('/work/') && !path.startsWith(`${dir}/`)) return [];
    const [start, end, skipped] = [from, to, offset].map((text) => Number(`0x${text}`)) as [
      number,
      number,
      number,
    ];
    return [[Number(file), skipped + end - start]];
  });
}

/** Does it live, and forbid to look? One that is just ending has no memory left, and does so, too. */
function isHidden(pid: number, error: unknown): boolean {
  if (!['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
  return Number(statOf(`/proc/${pid}`)?.[20]) > 0;
}
