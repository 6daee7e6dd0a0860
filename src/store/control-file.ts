import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlFile } from '../report/control.ts';
import { replaceFile } from './replace-file.ts';

/** Keeps how a run compares with its control arms in the run's folder, for its report. */
export async function writeControl(dir: string, found: ControlFile): Promise<void> {
  await replaceFile(join(dir, 'control.json'), `${JSON.stringify(found)}\n`);
}

/** What stands there; null where nothing does, or nothing that this version can show. */
export function readControl(dir: string): ControlFile | null {
  try {
    const found = JSON.parse(readFileSync(join(dir, 'control.json'), 'utf8')) as ControlFile;
    return found.version === 1 && Array.isArray(found.arms) ? found : null;
  } catch {
    return null;
  }
}
