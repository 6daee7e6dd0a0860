import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** The first program of that name on the PATH, absolute but with its links; null where there is none. */
export function which(name: string): string | null {
  if (name.includes('/')) return isProgram(name) ? resolve(name) : null;
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((dir) => resolve(dir, name))
    .find(isProgram);
  return found ?? null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
