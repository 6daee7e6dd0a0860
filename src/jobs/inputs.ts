import { type Dirent, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The relative paths of a job's input files, sorted: all regular files of the folder but its outputs, dotfiles
 * and the `data` mount point. What is no regular file (a link, a pipe) is no input: it is neither hashed nor
 * copied, so that nothing outside the folder can be reached through one.
 */
export async function listInputs(folder: string, outputs: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const visit = async (under: string): Promise<void> => {
    const entries = await readdir(join(folder, under), { withFileTypes: true });
    for (const path of sift(entries, under, outputs, found)) await visit(path);
  };
  await visit('');
  return found.sort();
}

/** `listInputs` for callers that must not wait; the folder is the few files of a trial. */
export function listInputsSync(folder: string, outputs: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (under: string): void => {
    const entries = readdirSync(join(folder, under), { withFileTypes: true });
    for (const path of sift(entries, under, outputs, found)) visit(path);
  };
  visit('');
  return found.sort();
}

/** Puts one folder's input files into `found` and returns the folders in it that are still to be visited. */
function sift(entries: Dirent[], under: string, outputs: readonly string[], found: string[]): string[] {
  const folders: string[] = [];
  for (const entry of entries) {
    const path = under === '' ? entry.name : `${under}/${entry.name}`;
    if (entry.name.startsWith('.') || path === 'data') continue;
    if (entry.isDirectory()) folders.push(path);
    else if (entry.isFile() && !outputs.includes(path)) found.push(path);
  }
  return folders;
}
