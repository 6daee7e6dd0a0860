import {
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobOutcome } from './job.ts';

/** What a job gave, with its output files. JSON, crosses processes and stands in the cache. */
export type Result = { outcome: JobOutcome; files: ResultFile[] };

/** An output: small ones by their content, large ones (above 1 MiB) by where they stand on this machine. */
export type ResultFile = { path: string } & (
  | { text: string }
  | { base64: string }
  | { file: string; bytes: number }
);

/** A result that there is none of. */
export function lost(reason: string): Result {
  return { outcome: { kind: 'lost', reason, log: '', ms: 0 }, files: [] };
}

/** May this path stand in `outputs`? It is relative, normal, and stays inside. */
export function isInside(path: string): boolean {
  return path !== '' && join('/', path) === `/${path}`;
}

/**
 * Takes from a job's folder (its real path) those of the expected outputs that are regular files inside it. A link is
 * no output: following it would read, for the job, what the job itself must not read.
 */
export function collectOutputs(folder: string, outputs: readonly string[]): ResultFile[] {
  const found: ResultFile[] = [];
  for (const path of outputs) {
    const file = join(folder, path);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (!stats?.isFile() || realpathSync(file) !== file) continue;
    if (stats.size > inlineBytes) {
      found.push({ path, file, bytes: stats.size });
      continue;
    }
    const content = readFileSync(file);
    const text = content.toString('utf8');
    const same = Buffer.from(text).equals(content);
    found.push(same ? { path, text } : { path, base64: content.toString('base64') });
  }
  return found;
}

/** Makes the outputs in a job's folder those of the result: what an earlier job left there goes. */
export async function restoreOutputs(
  result: Result,
  folder: string,
  outputs: readonly string[],
): Promise<void> {
  if (result.outcome.kind === 'lost') return;
  for (const path of outputs) remove(join(folder, path));
  for (const output of result.files) {
    const target = join(folder, output.path);
    if (output.path.includes('/')) mkdirSync(dirname(target), { recursive: true });
    // Synchronous, because for a few kilobytes that is the cheaper way, and most jobs are hits.
    if ('text' in output) writeFileSync(target, output.text, { flag: 'wx' });
    else if ('base64' in output) writeFileSync(target, Buffer.from(output.base64, 'base64'), { flag: 'wx' });
    else await copyFile(output.file, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

const inlineBytes = 2 ** 20;

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') rmSync(path, { recursive: true, force: true });
  }
}
