import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { linesOf } from '../lines.ts';
import { type ChatReply, type Fault, LlmError } from './llm.ts';

/** Where a line stands, in bytes; `n` counts the times its request was asked, from 0; `lost`: it holds no reply. */
type Taped = { n: number; start: number; length: number; lost: boolean };

/** How a call ended that a run outlives, though it had no reply. */
export type Lost = { fault: Fault; message: string };

/** The open file of a cassette: for each key what stands where, by `n`, and the length of its whole lines. */
type Tape = { fd: number; taped: Map<string, Taped[]>; bytes: number };

/**
 * Opens a cassette's file and finds what it holds: for each key the places of its replies, by `n`, in which gaps are calls
 * that were cancelled, or ended a run. Reads it once, in pieces. Unless `readOnly`, it is made where there is none, and a torn last line is cut off.
 * Throws a `UserError` for a file that cannot be opened, is no cassette, or is damaged.
 */
export function openTape(file: string, readOnly: boolean): Tape {
  const fd = openFile(file, readOnly);
  try {
    const taped = new Map<string, Taped[]>();
    const bytes = readOnly ? readTaped(file, fd, taped) : prepare(file, fd, taped);
    return { fd, taped, bytes };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Whether `openTape` would open the file; changes and makes nothing. Throws the `UserError` that it would throw, and one
 * where the folder of a file to be made is missing.
 */
export function checkTape(file: string, readOnly: boolean): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found || readOnly) {
    const fd = openFile(file, true);
    try {
      if (readOnly) readTaped(file, fd, new Map());
      else if (fstatSync(fd).size > 0) readTaped(file, fd, new Map(), true);
    } finally {
      closeSync(fd);
    }
  }
  if (readOnly) return;
  try {
    accessSync(found ? file : dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw cannotBe('written', file, error);
  }
}

/** What a call can end in and a run go on: no other fault has a line. */
export function isLost(fault: unknown): fault is Fault {
  return (LOST as readonly unknown[]).includes(fault);
}

/** The reply that stands there. Throws the `LlmError` that stands there instead. */
export function replyAt(fd: number, { start, length }: Taped): ChatReply {
  const line = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const read = readSync(fd, line, done, length - done, start + done);
    if (read === 0) throw new Error('the cassette was cut off while it was open');
    done += read;
  }
  const kept = JSON.parse(line.toString()) as Line;
  if ('reply' in kept) return kept.reply;
  throw new LlmError(kept.fault, kept.message);
}

type Line = { key: string; n: number } & ({ reply: ChatReply } | Lost);

const LOST: readonly Fault[] = [
  'bad-request',
  'too-long',
  'busy',
  'unavailable',
  'connection',
  'timeout',
  'garbled',
];

const HEADER = '{"cassette":1}';

function openFile(file: string, readOnly: boolean): number {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    // Looked at before it is opened: to open a pipe is to wait for its other end.
    if (found && !found.isFile()) throw new Error('it is not a plain file');
    if (found || !readOnly) return openSync(file, readOnly ? 'r' : 'a+');
  } catch (error) {
    throw cannotBe(readOnly ? 'read' : 'written', file, error);
  }
  throw new UserError(`there is no cassette ${file}`, 'Give the file that --record wrote.');
}

/** Reads what is there, cuts off a torn last line, and writes the header into an empty file. Gives the file's length. */
function prepare(file: string, fd: number, taped: Map<string, Taped[]>): number {
  const { size } = fstatSync(fd);
  const bytes = size === 0 ? 0 : readTaped(file, fd, taped, true);
  try {
    if (bytes < size) ftruncateSync(fd, bytes);
    return bytes > 0 ? bytes : writeSync(fd, `${HEADER}\n`);
  } catch (error) {
    throw new UserError(`the cassette ${file} cannot be written: ${messageOf(error)}`, 'Free some space.', 4);
  }
}

/**
 * Fills `taped` with the places of each key, in the order of `n` (gaps are calls that were cancelled). Gives the length of the whole
 * lines; 0 where not even the header is whole, which only `mayBeTorn` allows.
 */
function readTaped(file: string, fd: number, taped: Map<string, Taped[]>, mayBeTorn = false): number {
  let number = 0;
  let bytes = 0;
  for (const [line, start] of linesOf(fd)) {
    number++;
    if (number === 1) checkHeader(file, line.toString());
    else {
      const { key, n, lost } = parseLine(file, number, line);
      const place = { n, start, length: line.length, lost };
      const kept = taped.get(key);
      if (kept === undefined) taped.set(key, [place]);
      else kept.push(place);
    }
    bytes = start + line.length + 1;
  }
  if (number === 0 && !(mayBeTorn && startsHeader(fd))) throw noCassette(file);
  for (const kept of taped.values()) kept.sort((a, b) => a.n - b.n);
  return bytes;
}

function checkHeader(file: string, line: string): void {
  let header: { cassette?: unknown } | null = null;
  try {
    header = JSON.parse(line);
  } catch {
    // Another kind of file.
  }
  if (typeof header !== 'object' || header === null || !('cassette' in header)) throw noCassette(file);
  if (header.cassette !== 1) {
    const version = JSON.stringify(header.cassette).slice(0, 20);
    throw new UserError(`the cassette ${file} is of version ${version}, not 1`, 'Record it anew.');
  }
}

/** Whether the file is the beginning of a header: what a crash leaves of a cassette that was just made. */
function startsHeader(fd: number): boolean {
  const start = Buffer.alloc(HEADER.length + 1);
  const length = readSync(fd, start, 0, start.length, 0);
  return HEADER.startsWith(start.toString('utf8', 0, length));
}

function cannotBe(verb: 'read' | 'written', file: string, error: unknown): UserError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const why = missing ? 'its folder is not there' : messageOf(error);
  return new UserError(`the cassette ${file} cannot be ${verb}: ${why}`, 'Give another file.');
}

function noCassette(file: string): UserError {
  return new UserError(
    `${file} is no cassette`,
    'Give a cassette, or, to record one, a file that does not exist.',
  );
}

function parseLine(file: string, number: number, bytes: Buffer): { key: string; n: number; lost: boolean } {
  let line: Partial<{ key: string; n: number; reply: unknown } & Lost> | null = null;
  try {
    line = JSON.parse(bytes.toString());
  } catch {
    // Said below.
  }
  const { key, n, reply, fault, message } = line ?? {};
  const lost = reply === undefined && isLost(fault) && typeof message === 'string';
  if (typeof key === 'string' && Number.isSafeInteger(n) && (lost || isReply(reply))) {
    return { key, n: n as number, lost };
  }
  throw new UserError(
    `the cassette ${file} is damaged: line ${number} holds no reply`,
    'Restore it from a copy, or record it anew.',
  );
}

function isReply(reply: unknown): reply is ChatReply {
  const { message, finish, tokensIn, tokensOut } = (reply ?? {}) as Partial<ChatReply>;
  const counted = Number.isFinite(tokensIn) && Number.isFinite(tokensOut);
  return message?.role === 'assistant' && typeof finish === 'string' && counted;
}
