import { readFileSync, statSync } from 'node:fs';
import { lstat, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { sha256 } from '../json.ts';
import type { JobOutcome } from './job.ts';

/** An outcome that another job of the same identity may be given. */
export type Cacheable = Exclude<JobOutcome, { kind: 'lost' }>;

/** What a job gave, with its output files: their content where they are small, else where they stand. */
export type Result = { outcome: JobOutcome; files: ResultFile[] };
export type ResultFile = { path: string; content: Buffer | { file: string } };

/** Results on disk, by identity. */
export type JobCache = {
  /** The result, or null when there is none, or none that is whole. */
  find(identity: string): Result | null;
  /** Keeps a result, taking the large files out of `staging`; gives it back as it now stands. Never rejects. */
  keep(identity: string, result: Result, staging: string): Promise<Result>;
};

/**
 * A cache in `dir`: `<2 hex>/<identity>/outcome.json` and the outputs beside it in `files/`. An entry is made whole
 * elsewhere and then renamed, so a crash leaves all of it or nothing. No fsync: what a power cut spoils no longer
 * fits its checksum and counts as absent. Where `dir` cannot be written, nothing is kept and nobody is told.
 */
export function openCache(dir: string): JobCache {
  const entryOf = (identity: string) => join(dir, identity.slice(0, 2), identity);
  return {
    find(identity) {
      try {
        const entry = entryOf(identity);
        const { version, outcome, files } = JSON.parse(
          readFileSync(join(entry, 'outcome.json'), 'utf8'),
        ) as Entry;
        if (version !== 1 || !kinds.includes(outcome.kind) || typeof outcome.log !== 'string') return null;
        return { outcome, files: files.map((file) => check(join(entry, 'files', file.path), file)) };
      } catch {
        return null;
      }
    },
    async keep(identity, result, staging) {
      if (result.outcome.kind === 'lost') return result;
      try {
        const stage = join(staging, 'entry');
        const files: Entry['files'] = [];
        await mkdir(stage);
        for (const { path, content } of result.files) {
          const file = join(stage, 'files', path);
          await mkdir(dirname(file), { recursive: true });
          if (Buffer.isBuffer(content)) await writeFile(file, content);
          else await rename(content.file, file);
          const { size: bytes } = await lstat(file);
          files.push({ path, bytes, sha256: Buffer.isBuffer(content) ? sha256(content) : null });
        }
        const entry: Entry = { version: 1, outcome: result.outcome, files };
        await writeFile(join(stage, 'outcome.json'), JSON.stringify(entry));
        const target = entryOf(identity);
        await mkdir(dirname(target), { recursive: true });
        // Only a spoilt entry, or one that another run has just made, can stand there.
        await rm(target, { recursive: true, force: true });
        await rename(stage, target);
        return placed(result, (path) => join(target, 'files', path));
      } catch {
        return placed(result, (path) => join(staging, 'entry', 'files', path));
      }
    },
  };
}

/**
 * Takes from a job's folder those of the expected outputs that are regular files inside it. A link is no output:
 * following it would read, for the job, what the job itself must not read.
 */
export async function collectOutputs(folder: string, outputs: readonly string[]): Promise<ResultFile[]> {
  const found: ResultFile[] = [];
  for (const path of outputs) {
    const file = join(folder, path);
    const stats = await lstat(file).catch(() => null);
    if (!stats?.isFile() || (await realpath(file)) !== file) continue;
    found.push({ path, content: stats.size <= smallBytes ? await readFile(file) : { file } });
  }
  return found;
}

/** May this path stand in `outputs`? It is relative, normal, and stays inside. */
export function isInside(path: string): boolean {
  return path !== '' && !path.startsWith(sep) && join('/', path) === `/${path}` && !path.startsWith('..');
}

type Entry = {
  version: 1;
  outcome: Cacheable;
  files: { path: string; bytes: number; sha256: string | null }[];
};

const kinds = ['done', 'failed', 'out-of-memory'];
/** Up to this size a file is checked by its content, above by its length. */
const smallBytes = 2 ** 20;

function check(file: string, expected: Entry['files'][number]): ResultFile {
  if (!isInside(expected.path)) throw new Error('a path that leaves the entry');
  if (expected.sha256 === null) {
    if (statSync(file).size !== expected.bytes) throw new Error('another size');
    return { path: expected.path, content: { file } };
  }
  const content = readFileSync(file);
  if (sha256(content) !== expected.sha256) throw new Error('another content');
  return { path: expected.path, content };
}

/** The result with its large files where they are now. */
function placed(result: Result, at: (path: string) => string): Result {
  const move = ({ path, content }: ResultFile): ResultFile => {
    if (Buffer.isBuffer(content)) return { path, content };
    const moved = at(path);
    return { path, content: { file: statSync(moved, { throwIfNoEntry: false }) ? moved : content.file } };
  };
  return { outcome: result.outcome, files: result.files.map(move) };
}
