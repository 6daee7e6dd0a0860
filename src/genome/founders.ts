import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { hashJson } from '../json.ts';
import type { Genome } from './genome.ts';
import { loadGenome } from './load.ts';

export type Founders = {
  /** By name, which is the folder's, in alphabetical order. */
  genomes: Map<string, Genome>;
  /** The name of the one that all others are compared with. */
  baseline: string;
  /** Hash over names and genomes: a run belongs to its founders. */
  hash: string;
  /** What people should be told; null if nothing. */
  notice: string | null;
};

const PARTS = ['genome.json', 'rules', 'skills'];

/**
 * Reads the founders: every folder in `dir` that holds a part of a genome. Throws `UserError` where there is none, and
 * for one that cannot be loaded (a link, or no `genome.json`) rather than leave it out in silence.
 */
export async function loadFounders(dir: string): Promise<Founders> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'no such folder' : error.message;
    throw new UserError(`${dir}: ${reason}`, 'give --genomes a folder with one folder for each founder');
  });
  const names = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .filter((entry) => PARTS.some((part) => existsSync(join(dir, entry.name, part))))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) {
    const self = existsSync(join(dir, 'genome.json'));
    throw new UserError(
      self ? `${dir}: a genome itself, not a folder of genomes` : `${dir}: no genome in it`,
      self
        ? 'give --genomes the folder above it'
        : 'a genome is a folder with a genome.json; see genomes/baseline',
    );
  }
  const genomes = new Map<string, Genome>();
  for (const name of names) genomes.set(name, await loadGenome(join(dir, name)));
  const baseline = names.includes('baseline') ? 'baseline' : names[0]!;
  return {
    genomes,
    baseline,
    hash: hashJson([...genomes]),
    notice:
      baseline === 'baseline'
        ? null
        : `no founder in ${dir} is called baseline: '${baseline}' is what all are compared with`,
  };
}
