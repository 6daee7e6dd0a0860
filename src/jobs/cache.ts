import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../json.ts';
import { isInside, type Result, type ResultFile } from './result.ts';

/** Results on disk, by identity. */
export type JobCache = {
  /** The result, or null when there is none, or none that is whole. */
  find(identity: string): Result | null;
  /** Keeps a result. Never rejects: where nothing can be written, nothing is kept. */
  keep(identity: string, result: Result): Promise<void>;
};

/**
 * A cache in `dir`: `<2 hex>/<identity>.json` holds a checksum, the outcome and small outputs; large ones stand beside
 * it in `<identity>.files/`. An entry is written under another name and then renamed, so that a crash leaves all of it
 * or nothing. No fsync: what a power cut spoils no longer fits its checksum and counts as absent.
 */
export function openCache(dir: string): JobCache {
  const entryOf = (identity: string) => join(dir, identity.slice(0, 2), identity);
  const made = new Set<string>();
  return {
    find(identity) {
      try {
        const text = readFileSync(`${entryOf(identity)}.json`, 'utf8');
        const cut = text.indexOf('\n');
        if (text.slice(0, cut) !== checksum(text.slice(cut + 1))) return null;
        const entry = JSON.parse(text.slice(cut + 1)) as Entry;
        return entry.version === version ? located(entry, `${entryOf(identity)}.files`) : null;
      } catch {
        return null;
      }
    },
    async keep(identity, result) {
      const entry = entryOf(identity);
      const temporary = `${entry}.${randomUUID()}.tmp`;
      try {
        if (!made.has(dirname(entry))) await mkdir(dirname(entry), { recursive: true });
        made.add(dirname(entry));
        if (result.files.some((file) => 'file' in file)) {
          await copyLarge(result.files, temporary);
          // Only a spoilt entry, or one that another run has just made, can stand there.
          await rm(`${entry}.files`, { recursive: true, force: true });
          await rename(temporary, `${entry}.files`);
        }
        const text = JSON.stringify({ version, ...result });
        await writeFile(temporary, `${checksum(text)}\n${text}`);
        await rename(temporary, `${entry}.json`);
      } catch {
        await rm(temporary, { recursive: true, force: true }).catch(() => {});
      }
    },
  };
}

type Entry = Result & { version: number };
const version = 1;

function checksum(text: string): string {
  return sha256(text, 16);
}

/** The result with its large files where the cache has them; null when one of them is not whole. */
function located(entry: Entry, folder: string): Result | null {
  const files: ResultFile[] = [];
  for (const file of entry.files) {
    if (!isInside(file.path)) return null;
    if (!('file' in file)) files.push(file);
    else {
      const place = join(folder, file.path);
      if (statSync(place).size !== file.bytes) return null;
      files.push({ ...file, file: place });
    }
  }
  return { outcome: entry.outcome, files };
}

async function copyLarge(files: ResultFile[], folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const file of files) {
    if (!('file' in file)) continue;
    await mkdir(dirname(join(folder, file.path)), { recursive: true });
    await copyFile(file.file, join(folder, file.path));
  }
}
