import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { messageOf, UserError } from '../errors.ts';
import { sha256 } from '../json.ts';
import { appendLine, linesOf } from '../lines.ts';
import type { LedgerLine } from './ledger-book.ts';

/** An append-only file of ledger lines: JSON, the last member `sum` the beginning of the SHA-256 of the rest. */
type LedgerFile = {
  /**
   * Hands one line to the operating system, in order, before it returns: from then on it survives a kill of this
   * process. Throws a `UserError` when that fails (disk full); the file then ends with the last whole line and
   * takes no more.
   */
  append(line: LedgerLine): void;
  /** Lets go of the file. Calling it again does nothing. */
  close(): void;
};

/**
 * Opens the file for appending, makes it if there is none, and cuts off a last line without its end. `enter` is
 * given each line, in order; what it throws is damage. Throws a `UserError`: exit code 5 with the number of a
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
    throw error instanceof UserError ? error : unwritable(path, error);
  }
  let failure: UserError | null = null;
  let closed = false;
  return {
    append(line) {
      if (failure) throw failure;
      if (closed) throw new Error('append to a closed ledger');
      const buffer = format(line);
      try {
        appendLine(fd, buffer, bytes);
      } catch (error) {
        failure = unwritable(path, error);
        throw failure;
      }
      bytes += buffer.length;
    },
    close() {
      if (!closed) closeSync(fd);
      closed = true;
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

function format(line: LedgerLine): Buffer {
  const text = JSON.stringify(line);
  return Buffer.from(`${text.slice(0, -1)},"sum":"${sha256(text, 8)}"}\n`);
}

/** Gives the length of the whole lines; what stands behind is torn: its call was never made, or counts in full. */
function replay(path: string, fd: number, enter: (line: LedgerLine) => void): number {
  let bytes = 0;
  let number = 0;
  for (const [line, start] of linesOf(fd)) {
    number++;
    try {
      enter(parse(line.toString()));
    } catch (error) {
      throw new UserError(
        `${path} line ${number} is damaged: ${messageOf(error)}`,
        'What was spent cannot be known. Restore the file from a copy, or begin a new run with another --out.',
        5,
      );
    }
    bytes = start + line.length + 1;
  }
  return bytes;
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
  const later = LATER.includes((error as NodeJS.ErrnoException).code ?? '');
  return new UserError(
    `${path} cannot be ${how}: ${messageOf(error)}`,
    later
      ? 'Mend that, then give the same command again: what was spent is kept, and the run goes on from there.'
      : 'Check its permissions.',
    later ? 4 : 2,
  );
}
