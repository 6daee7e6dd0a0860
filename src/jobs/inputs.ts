import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The relative paths of a job's input files, sorted: all regular files of the folder but its outputs, dotfiles
 * and the `data` mount point. What is no regular file (a link, a pipe) is no input: it is neither hashed nor
 * copied, so that nothing outside the folder can be reached through one.
 */
export function listInputs(folder: string, outputs: readonly string[]): string[] {
  const found: string[] = [];
  const visit = (under: string): void => {
    for (const entry of readdirSync(join(folder, under), { withFileTypes: true })) {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (entry.name.startsWith('.') || path === 'data') continue;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && !outputs.includes(path)) found.push(path);
    }
  };
  visit('');
  return found.sort();
}
