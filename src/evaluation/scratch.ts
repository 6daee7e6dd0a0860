import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAbandoned, owner } from '../owner.ts';

/** Folders of trials under way are small, short-lived and many: memory is the place for them. */
const IN_MEMORY = '/dev/shm';
const ENOUGH_BYTES = 256 * 2 ** 20;
const PREFIX = 'evolve-trial-';

/** Chosen once: what is swept is where new ones are made, however full memory has become since. */
let root: string | undefined;

/** A new empty folder for the work of one trial; in memory where the machine offers it, else in the temporary folder. */
export function makeScratch(): string {
  return mkdtempSync(join(rootOfScratch(), `${PREFIX}${owner()}.`));
}

/** Best effort: what a job has made undeletable is in nobody's way. */
export function removeScratch(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {}
}

/** Removes what runs of this program left that are gone (a crash, a kill); all else stays. */
export function sweepScratch(): void {
  const folder = rootOfScratch();
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(PREFIX)) continue;
    if (isAbandoned(name.slice(PREFIX.length), join(folder, name))) removeScratch(join(folder, name));
  }
}

function rootOfScratch(): string {
  root ??= chooseRoot();
  return root;
}

function chooseRoot(): string {
  try {
    accessSync(IN_MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    if (bavail * bsize >= ENOUGH_BYTES) return IN_MEMORY;
  } catch {}
  mkdirSync(tmpdir(), { recursive: true });
  return tmpdir();
}
