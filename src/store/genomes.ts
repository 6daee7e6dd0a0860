import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import { loadGenome } from '../genome/load.ts';
import { saveGenome } from '../genome/save.ts';
import { syncFolder } from './replace-file.ts';
import { storageError } from './storage-error.ts';

/** The genomes of a run: `genomes/<id>/`, each a folder that one can diff and run. Kept in memory once seen. */
export type GenomeStore = {
  /** Writes the genome's folder, unless it is there: under a temporary name, then renamed. `UserError` on a full disk. */
  save(id: string, genome: Genome): Promise<void>;
  /** Rejects with a `UserError` (exit code 5) if the folder is missing, broken, or not what its name says. */
  load(id: string): Promise<Genome>;
  /** Resolves when all saved so far are on the disk. */
  commit(): Promise<void>;
};

/** The store of the genomes below `dir`, the run's folder, which may be read-only if nothing is saved. */
export function genomeStore(dir: string): GenomeStore {
  const root = join(dir, 'genomes');
  const known = new Map<string, Genome>();
  let unsynced: string[] = [];

  return {
    async save(id, genome) {
      if (known.has(id)) return;
      if (genomeId(genome) !== id) throw new Error(`genome ${genomeId(genome)} cannot be saved as ${id}`);
      const target = join(root, id);
      // What stands there stood there whole, but nobody may have waited for the disk, nor kept hands off since.
      if (!existsSync(target) || !(await isWhole(target, id))) {
        const temporary = join(root, `${id}.${randomUUID()}.tmp`);
        try {
          await mkdir(root, { recursive: true });
          await saveGenome(genome, temporary);
          await rm(target, { recursive: true, force: true });
          await rename(temporary, target);
        } catch (error) {
          await rm(temporary, { recursive: true, force: true }).catch(() => {});
          throw storageError(target, error);
        }
        unsynced.push(target);
      }
      known.set(id, genome);
    },
    async load(id) {
      const cached = known.get(id);
      if (cached) return cached;
      const folder = join(root, id);
      const hint =
        'The genomes of a run must not be edited; copy the folder and give it as a founder instead.';
      const genome = await loadGenome(folder).catch((error: unknown) => {
        throw new UserError(`genome ${id} cannot be read: ${messageOf(error)}`, hint, 5);
      });
      if (genomeId(genome) !== id) {
        throw new UserError(
          `${folder} was changed: what stands there is genome ${genomeId(genome)}`,
          hint,
          5,
        );
      }
      known.set(id, genome);
      return genome;
    },
    async commit() {
      const folders = unsynced;
      unsynced = [];
      if (folders.length === 0) return;
      await Promise.all(folders.map(syncTree));
      await syncFolder(root);
    },
  };
}

async function isWhole(folder: string, id: string): Promise<boolean> {
  try {
    return genomeId(await loadGenome(folder)) === id;
  } catch {
    return false;
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await syncTree(path);
      continue;
    }
    const file = await open(path, 'r');
    try {
      await file.sync();
    } catch (error) {
      throw storageError(path, error);
    } finally {
      await file.close();
    }
  }
  await syncFolder(folder);
}
