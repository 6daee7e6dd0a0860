import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attribution } from '../report/attribution.ts';
import { replaceFile } from './replace-file.ts';

/** Keeps what `evolve attribute` found in the run's folder, for its report. Gives the file's path. */
export async function writeAttribution(dir: string, found: Attribution): Promise<string> {
  await replaceFile(pathIn(dir), `${JSON.stringify(found, null, 2)}\n`);
  return pathIn(dir);
}

/** What stands there; null where nothing does, or nothing that this version can show. */
export function readAttribution(dir: string): Attribution | null {
  try {
    const found = JSON.parse(readFileSync(pathIn(dir), 'utf8')) as Attribution;
    return found.version === 1 && Array.isArray(found.genes) ? found : null;
  } catch {
    return null;
  }
}

function pathIn(dir: string): string {
  return join(dir, 'attribution.json');
}
