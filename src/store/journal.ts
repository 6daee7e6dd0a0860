import { close, fdatasync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, UserError } from '../errors.ts';
import type { Event } from '../event.ts';
import { appendLine } from '../lines.ts';
import { crc32 } from './crc32.ts';
import { syncFolder } from './replace-file.ts';
import { storageError } from './storage-error.ts';

/**
 * The truth of a run: one event a line, `{"seq":1,"crc":"89abcdef","type":…,…,"at":"2026-11-21T…Z"}`. `seq` counts
 * from 1, so it is the line's number too; `crc` is the CRC-32 of the line's bytes without the crc member.
 */
export type Journal = {
  /**
   * Hands one event to the operating system, in order, before it returns: from then on it survives a kill of this
   * process, and after `commit` a loss of power. The journal takes no more events after it has thrown a `UserError`:
   * - when that fails (disk full); the file then ends with the last whole line
   * - when the run is not ours any more, or somebody else has changed the file; it then stays as it is
   */
  append(event: Event): void;
  /** Resolves when all events appended so far are on the disk. Rejects as `append` throws. */
  commit(): Promise<void>;
  /** Commits, then lets go of the file; later calls do nothing. */
  close(): Promise<void>;
};

/** Where the whole lines of a journal end: what `openJournal` needs to go on. */
export type JournalEnd = {
  /** Number of whole lines. */
  seq: number;
  /** Their length in bytes. */
  bytes: number;
  /** The length of the file; more than `bytes` if the last line is torn, 0 if there is no file. */
  size: number;
};

/** Given each event with its number and time, in order; must not keep the process waiting. */
export type Replay = (event: Event, line: { seq: number; at: string }) => void;

type Line = { seq: number; at: string; event: Event };

const CHUNK = 1 << 20;
/** No event is longer; a file with a longer line is none of ours. */
const LONGEST_LINE = 64 << 20;
const CRC_MEMBER = '"crc":"89abcdef",'.length;
const AT_MEMBER = atMember('2026-01-31T12:00:00.000Z').length;
/** The time, its closing quote and the closing brace. */
const AT_DATE = '2026-01-31T12:00:00.000Z"}'.length;
const NEWLINE = 0x0a;

/**
 * Reads a journal from start to end, in a stream, and changes nothing: works without a lock, beside a writer.
 * A missing file is an empty journal. A last line that is cut off or does not match its crc is left out (`size` > `bytes`);
 * any other damage rejects with a `UserError` that names the file and the line. So does what `replay` throws.
 */
export async function readJournal(path: string, replay: Replay): Promise<JournalEnd> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserError(`${path} cannot be read: ${error.message}`, 'Check its permissions.');
  });
  if (!file) return { seq: 0, bytes: 0, size: 0 };

  let seq = 0;
  let bytes = 0;
  let size = 0;
  let bad: string | null = null;
  const line = (buffer: Buffer, start: number, end: number) => {
    if (bad) throw damaged(path, seq + 1, bad);
    const parsed = parseLine(buffer, start, end);
    if (typeof parsed === 'string') {
      // Torn, if nothing follows; damage, if something does.
      bad = parsed;
      return;
    }
    if (parsed.seq !== seq + 1) throw damaged(path, seq + 1, `it has the number ${parsed.seq}`);
    seq++;
    bytes += end - start + 1;
    try {
      replay(parsed.event, { seq, at: parsed.at });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${path} line ${seq}: ${error.message}`, error.hint, error.exitCode);
    }
  };

  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const buffer = Buffer.allocUnsafe(rest.length + CHUNK);
      rest.copy(buffer);
      const { bytesRead } = await file.read(buffer, rest.length, CHUNK);
      if (bytesRead === 0) break;
      size += bytesRead;
      const filled = buffer.subarray(0, rest.length + bytesRead);
      let start = 0;
      for (let end = filled.indexOf(NEWLINE, rest.length); end >= 0; end = filled.indexOf(NEWLINE, start)) {
        line(filled, start, end);
        start = end + 1;
      }
      rest = filled.subarray(start);
      if (rest.length > LONGEST_LINE) throw damaged(path, seq + 1, 'it does not end');
    }
    if (bad && rest.length > 0) throw damaged(path, seq + 1, bad);
    if (seq === 0 && size > 0) await refuseForeign(path);
  } finally {
    await file.close();
  }
  return { seq, bytes, size };
}

/**
 * Opens a journal for writing where `readJournal` found its end, creates it if there is none, and cuts off a torn
 * last line. The caller holds the run's lock, for as long as `isOurs` says so. Throws a `UserError` where it cannot be
 * written, or where it has changed since it was read.
 */
export async function openJournal(
  path: string,
  end: JournalEnd,
  isOurs: () => boolean = () => true,
): Promise<Journal> {
  const fd = openForAppending(path, end);
  let { seq, bytes } = end;
  let committed = bytes;
  let failure: unknown = null;
  let closed = false;
  let flight: Promise<void> = Promise.resolve();
  await syncFolder(dirname(path));

  const fail = (error: unknown): unknown => {
    failure ??= storageError(path, error);
    return failure;
  };

  const sync = async () => {
    if (failure) throw failure;
    if (!isOurs()) throw fail(takenOver(path));
    if (committed === bytes) return;
    const upTo = bytes;
    // After a failed fsync the kernel may take the pages for clean: never try again, never say it worked.
    await fdatasyncAsync(fd).catch((error: unknown) => {
      throw fail(error);
    });
    committed = upTo;
  };

  const journal: Journal = {
    append(event) {
      if (failure) throw failure;
      if (closed) throw new Error('append to a closed journal');
      if (!isOurs()) throw fail(takenOver(path));
      const buffer = formatLine(seq + 1, event, new Date().toISOString());
      try {
        appendLine(fd, buffer, bytes, path);
      } catch (error) {
        throw fail(error);
      }
      seq++;
      bytes += buffer.length;
    },
    commit() {
      flight = flight.then(sync, sync);
      return flight;
    },
    async close() {
      if (closed) return;
      closed = true;
      try {
        await journal.commit();
      } finally {
        await closeAsync(fd);
      }
    },
  };
  return journal;
}

const fdatasyncAsync = promisify(fdatasync);
const closeAsync = promisify(close);

function openForAppending(path: string, end: JournalEnd): number {
  try {
    const fd = openSync(path, 'a', 0o644);
    if (fstatSync(fd).size !== end.size) {
      throw new UserError(
        `${path} has changed while it was read`,
        'Another process writes to it; wait until that is done.',
      );
    }
    if (end.size > end.bytes) ftruncateSync(fd, end.bytes);
    return fd;
  } catch (error) {
    throw storageError(path, error);
  }
}

function takenOver(path: string): UserError {
  return new UserError(
    `${path} is not ours to write any more: another process has taken the run over, or its lock was deleted`,
    'This process stops; what it had journalled is kept.',
  );
}

function formatLine(seq: number, event: Event, at: string): Buffer {
  refuseInfinite(event, 'event');
  const head = Buffer.from(`{"seq":${seq},`);
  const tail = Buffer.from(`${JSON.stringify(event).slice(1, -1)}${atMember(at)}}\n`);
  const crc = crcMember(crc32(tail, 0, tail.length - 1, crc32(head)));
  return Buffer.concat([head, Buffer.from(crc), tail]);
}

function crcMember(crc: number): string {
  return `"crc":"${crc.toString(16).padStart(8, '0')}",`;
}

function atMember(at: string): string {
  return `,"at":"${at}"`;
}

/** JSON would turn NaN and infinities into null, and the replay would differ from the run. */
function refuseInfinite(value: unknown, path: string): void {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`${path} is ${value}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const key in value) refuseInfinite(value[key as keyof typeof value], key);
  }
}

/**
 * The line from `start` to `end` (without the newline), or what is wrong with it. The members that are not the
 * event's own stand at fixed places, so the event is parsed as it was written, without them.
 */
function parseLine(buffer: Buffer, start: number, end: number): Line | string {
  const crcStart = buffer.indexOf(',', start) + 1;
  const eventStart = crcStart + CRC_MEMBER;
  const eventEnd = end - AT_MEMBER - 1;
  if (crcStart === 0 || eventStart >= eventEnd) return 'it is not a line of a journal';
  const crc = crcMember(crc32(buffer, eventStart, end, crc32(buffer, start, crcStart)));
  if (buffer.toString('latin1', crcStart, eventStart) !== crc) return 'its crc does not match';
  const seq = Number(buffer.toString('latin1', start + '{"seq":'.length, crcStart - 1));
  const at = buffer.toString('latin1', end - AT_DATE, end - 2);
  try {
    return { seq, at, event: JSON.parse(`{${buffer.toString('utf8', eventStart, eventEnd)}}`) };
  } catch (error) {
    return messageOf(error);
  }
}

/** A journal with no whole line at all: only the first line torn (or zeroed by the file system) is one of ours. */
async function refuseForeign(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    const expected = Buffer.from('{"seq":1,"crc":"');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(expected.length), 0, expected.length, 0);
    const found = buffer.subarray(0, bytesRead);
    if (found.equals(expected.subarray(0, bytesRead)) || found.every((byte) => byte === 0)) return;
  } finally {
    await file.close();
  }
  throw damaged(path, 1, 'it is not a line of a journal');
}

function damaged(path: string, line: number, reason: string): UserError {
  return new UserError(
    `${path} line ${line} is damaged: ${reason}`,
    'The run cannot be read beyond it. Restore the file from a copy, or begin a new run with another --out.',
  );
}
