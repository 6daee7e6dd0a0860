import { closeSync, fdatasync, fdatasyncSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { sha256 } from '../json.ts';
import { appendLine, linesOf } from '../lines.ts';
import type { LedgerLine } from './ledger-book.ts';

/** An append-only file of ledger lines: JSON, the last member `sum` the beginning of the SHA-256 of the rest. */
type LedgerFile = {
  /**
   * Hands one line to the operating system, in order, before it returns: from then on it survives a kill of this
   * process, and a second later, in the background, the power failing. Throws a `UserError` when that fails (disk
   * full); the file then ends with the last whole line and takes no more.
   */
  append(line: LedgerLine): void;
  /** Brings all to the disk and lets go of the file; throws as `append`. Calling it again does nothing. */
  close(): void;
};

/**
 * Opens the file for appending, makes it if there is none, and cuts off a last line without its end, or with a hole of
 * zero bytes, which is what a power cut leaves. `enter` is given each line, in order; what it throws is damage. Throws a `UserError`: exit code 5 with the number of a
 * damaged line, 2 or 4 where the file cannot be opened. The caller holds the run's lock: one writer at a time.
 */
export function openLedgerFile(path: string, enter: (line: LedgerLine) => void): LedgerFile {
  const fd = openFile(path, 'a+');
  let bytes: number;
  try {
    bytes = replay(path, fd, enter);
    if (fstatSync(fd).size > bytes) ftruncateSync(fd, bytes);
  } catch (error) {
    closeSync(fd);
    throw unwritable(path, error);
  }
  let failure: UserError | null = null;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let syncing = false;

  const syncSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (syncing) return syncSoon();
      syncing = true;
      fdatasync(fd, (error) => {
        syncing = false;
        if (closed) return closeSync(fd);
        if (error && !CANNOT_SYNC.includes(error.code ?? '')) failure ??= unwritable(path, error);
      });
    }, SYNC_MS).unref();
  };

  return {
    append(line) {
      if (failure) throw failure;
      if (closed) throw new Error('append to a closed ledger');
      const buffer = format(line);
      try {
        appendLine(fd, buffer, bytes, path);
      } catch (error) {
        failure = unwritable(path, error);
        throw failure;
      }
      bytes += buffer.length;
      syncSoon();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      try {
        fdatasyncSync(fd);
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (!failure && !CANNOT_SYNC.includes(code)) throw unwritable(path, error);
      } finally {
        // A number that is closed may be another file's before the disk has answered.
        if (!syncing) closeSync(fd);
      }
    },
  };
}

/**
 * Gives `enter` the lines of the file and changes nothing; false where there is no file. Throws as `openLedgerFile`.
 */
export function readLedgerFile(path: string, enter: (line: LedgerLine) => void): boolean {
  const fd = openFile(path, 'r');
  if (fd === null) return false;
  try {
    replay(path, fd, enter);
  } finally {
    closeSync(fd);
  }
  return true;
}

const SUM = /,"sum":"([0-9a-f]{8})"\}$/;
/** The machine's faults, after which the same command can be given again. */
const LATER = ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE'];

/** So much of what was spent may a power cut forget. */
const SYNC_MS = 1000;
/** What file systems say that have nothing to bring to a disk. */
const CANNOT_SYNC = ['EINVAL', 'ENOSYS', 'ENOTSUP', 'EROFS'];

function format(line: LedgerLine): Buffer {
  const text = JSON.stringify(line);
  return Buffer.from(`${text.slice(0, -1)},"sum":"${sha256(text, 8)}"}\n`);
}

/**
 * Gives the length of the whole lines; what stands behind is torn: its call was never made, or counts in full. So is a
 * last line that holds zero bytes: its length came to the disk, and not all of its text.
 */
function replay(path: string, fd: number, enter: (line: LedgerLine) => void): number {
  let bytes = 0;
  let number = 0;
  let hole: number | null = null;
  for (const [line, start] of linesOf(fd)) {
    number++;
    if (hole !== null) throw damaged(path, hole, new Error('it holds zero bytes'));
    if (line.includes(0)) {
      hole = number;
      continue;
    }
    try {
      enter(parse(line.toString()));
    } catch (error) {
      throw damaged(path, number, error);
    }
    bytes = start + line.length + 1;
  }
  return bytes;
}

function damaged(path: string, number: number, error: unknown): UserError {
  return new UserError(
    `${path} line ${number} is damaged: ${messageOf(error)}`,
    'What was spent cannot be known. Restore the file from a copy, or begin a new run with another --out.',
    5,
  );
}

function parse(line: string): LedgerLine {
  const sum = SUM.exec(line);
  if (!sum) throw new Error('it is not a line of a ledger');
  const text = `${line.slice(0, sum.index)}}`;
  if (sha256(text, 8) !== sum[1]) throw new Error('its sum does not match');
  return JSON.parse(text);
}

function openFile(path: string, flags: 'a+'): number;
function openFile(path: string, flags: 'r'): number | null;
function openFile(path: string, flags: 'a+' | 'r'): number | null {
  try {
    return openSync(path, flags, 0o644);
  } catch (error) {
    if (flags === 'r' && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unwritable(path, error, flags === 'r' ? 'read' : 'written');
  }
}

function unwritable(path: string, error: unknown, how = 'written'): UserError {
  if (error instanceof UserError) return error;
  const later = LATER.includes((error as NodeJS.ErrnoException).code ?? '');
  return new UserError(
    `${path} cannot be ${how}: ${messageOf(error)}`,
    later
      ? 'Mend that, then give the same command again: what was spent is kept, and the run goes on from there.'
      : 'Check its permissions.',
    later ? 4 : 2,
  );
}
