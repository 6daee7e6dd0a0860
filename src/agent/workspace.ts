import {
  closeSync,
  cpSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { Task } from '../suite/suite.ts';

/** A refusal that the agent is told, in its own terms (no real paths). */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/** What a path can be refused for by the file system that is the model's doing; all else is the machine's. */
const IMPOSSIBLE_PATH = new Set(['EEXIST', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ENOTDIR']);
/** Most that one file may hold, in bytes; a model that writes more is told so. */
const MAX_FILE = 1_000_000;
/** Characters of a first line that are shown. */
const LONGEST_HEAD = 160;

/**
 * The agent's folder as its tools see it: `data/…` is the task's public data (read-only), `attempts/<n>/…` the
 * files of earlier attempts (read-only), all else stands in `work`. Jobs may have left links behind: a path whose
 * real place is outside is refused. It begins with the task's start files; `editable`, where it is not null, are the
 * only files that can be written.
 */
export function openWorkspace(
  folders: { work: string; data: string; attempts: string },
  { startDir, editable }: Pick<Task, 'startDir' | 'editable'>,
) {
  mkdirSync(folders.work, { recursive: true });
  if (startDir !== null) cpSync(startDir, folders.work, { recursive: true });

  function locate(path: string, purpose: 'read' | 'write'): string {
    const parts = path.replace(/^\.?\/+/, '').split('/');
    if (path === '' || path.includes('\0') || parts.some((part) => part === '..' || part === '')) {
      throw new ToolError(`${JSON.stringify(path)} is not a path inside your folder`);
    }
    const outside = parts[0] === 'data' || parts[0] === 'attempts';
    if (purpose === 'write') {
      if (outside) throw new ToolError(`${parts[0]}/ is read-only`);
      if (editable !== null && !editable.includes(parts.join('/'))) {
        throw new ToolError(`${path} is not yours to change; only ${editable.join(', ')} may be written`);
      }
    }
    const root =
      parts[0] === 'data' ? folders.data : parts[0] === 'attempts' ? folders.attempts : folders.work;
    const full = join(root, ...(outside ? parts.slice(1) : parts));
    refuseEscape(root, full, path);
    return full;
  }

  function read(path: string): string {
    const full = locate(path, 'read');
    const found = statOf(full);
    if (!found?.isFile()) throw new ToolError(`no file ${path}`);
    if (found.size > MAX_FILE) throw new ToolError(`${path} is larger than ${MAX_FILE} bytes`);
    return readFileSync(full, 'utf8');
  }

  /** The first line, at most 160 characters; of a file of any size, as a job may have written it. */
  function firstLine(path: string): string {
    const file = openSync(locate(path, 'read'), 'r');
    try {
      const start = Buffer.alloc(LONGEST_HEAD * 4);
      const length = readSync(file, start);
      return start.toString('utf8', 0, length).split('\n', 1)[0]!.slice(0, LONGEST_HEAD);
    } finally {
      closeSync(file);
    }
  }

  function write(path: string, content: string): void {
    if (Buffer.byteLength(content) > MAX_FILE) throw new ToolError(`more than ${MAX_FILE} bytes for ${path}`);
    const full = locate(path, 'write');
    const found = statOf(full);
    if (found !== null && !found.isFile()) throw new ToolError(`${path} is not a plain file`);
    try {
      // Never written in place: an attempt that was kept may have the same file under another name.
      if (found !== null) unlinkSync(full);
      else if (path.includes('/')) mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, content, { flag: 'wx' });
    } catch (error) {
      if (IMPOSSIBLE_PATH.has((error as NodeJS.ErrnoException).code ?? '')) {
        throw new ToolError(`${JSON.stringify(path.slice(0, 80))} cannot be a file here`);
      }
      throw error;
    }
  }

  /** The agent's own files (plain ones, not data or hidden), sorted, as paths. */
  function list(folder = folders.work, below = ''): string[] {
    return readdirSync(folder, { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => {
        const path = below + entry.name;
        if (entry.name.startsWith('.') || path === 'data' || path === 'attempts') return [];
        if (entry.isDirectory()) return list(join(folder, entry.name), `${path}/`);
        return entry.isFile() ? [path] : [];
      });
  }

  return { read, firstLine, write, list, dataFiles: () => readdirSync(folders.data).sort() };
}

export type Workspace = ReturnType<typeof openWorkspace>;

function refuseEscape(root: string, full: string, path: string): void {
  const top = realPathOf(root);
  // As long as there are no attempts, there is no folder of them.
  if (top === null) return;
  let real: string | null = null;
  for (let existing = full; real === null; existing = dirname(existing)) {
    real = existing === root ? top : realPathOf(existing);
  }
  const inside = relative(top, real);
  if (inside === '..' || inside.startsWith(`..${sep}`))
    throw new ToolError(`${path} leads out of your folder`);
}

/** Null where nothing is, or nothing that can be reached by that name. */
function realPathOf(path: string): string | null {
  try {
    // The system's own: Node's looks at each folder on the way anew.
    return realpathSync.native(path);
  } catch {
    return null;
  }
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
