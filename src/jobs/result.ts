import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
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

/** The result of a job that nobody wants any more. */
export function cancelled(): Result {
  return { outcome: { kind: 'cancelled', log: '', ms: 0 }, files: [] };
}

/** May this path stand in `outputs`? It is relative, normal, and stays inside. */
export function isInside(path: string): boolean {
  return path !== '' && join('/', path) === `/${path}`;
}

/**
 * Takes from a job's folder (its real path) those of the expected outputs that are regular files inside it. A link is
 * no output: following it would read, for the job, what the job itself must not read. Large ones are copied to `out`,
 * which no job sees, so that none can put something else into their place. Throws where that cannot be done.
 */
export async function collectOutputs(
  folder: string,
  outputs: readonly string[],
  out: string,
): Promise<ResultFile[]> {
  const files: ResultFile[] = [];
  for (const path of outputs) {
    const file = await collect(join(folder, path), path, join(out, path));
    if (file !== null) files.push(file);
  }
  return files;
}

/** Makes the outputs in a job's folder those of the result: what an earlier job left there goes. */
export async function restoreOutputs(
  result: Result,
  folder: string,
  outputs: readonly string[],
): Promise<void> {
  if (result.outcome.kind === 'lost' || result.outcome.kind === 'cancelled') return;
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

async function collect(file: string, path: string, copy: string): Promise<ResultFile | null> {
  const fd = openPlain(file);
  if (fd === null) return null;
  try {
    if (fstatSync(fd).size > inlineBytes) {
      mkdirSync(dirname(copy), { recursive: true });
      // What was opened, whatever has its name by now.
      const opened = process.platform === 'linux' ? `/proc/self/fd/${fd}` : file;
      await copyFile(opened, copy, constants.COPYFILE_FICLONE);
      return { path, file: copy, bytes: statSync(copy).size };
    }
    const content = readFileSync(fd);
    const text = content.toString('utf8');
    const same = Buffer.from(text).equals(content);
    return same ? { path, text } : { path, base64: content.toString('base64') };
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens a regular file, but not through a link at its name or on the way. What was opened is looked at, not the name: a
 * process of the job that is just being ended could still put a link there in between.
 */
function openPlain(file: string): number | null {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if (fstatSync(fd).isFile() && placeOf(fd, file) === file) return fd;
  closeSync(fd);
  return null;
}

function placeOf(fd: number, file: string): string | null {
  try {
    return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${fd}`) : realpathSync(file);
  } catch {
    return null;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') rmSync(path, { recursive: true, force: true });
  }
}
