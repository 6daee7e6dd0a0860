import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { UserError } from './errors.ts';

/** Files of lines that are only appended to, and may end in the middle of a line: a process died as it wrote. */

/**
 * The lines of an open file that end, without their newline, each with the place where it begins, in bytes; what stands
 * behind the last newline is left out. Read in pieces, as far as the file went at the beginning.
 */
export function* linesOf(fd: number): Generator<[line: Buffer, start: number]> {
  const { size } = fstatSync(fd);
  let rest = Buffer.alloc(0);
  let start = 0;
  while (start + rest.length < size) {
    const piece = Buffer.allocUnsafe(Math.min(CHUNK, size - start - rest.length));
    const length = readSync(fd, piece, 0, piece.length, start + rest.length);
    if (length === 0) return;
    const filled = Buffer.concat([rest, piece.subarray(0, length)]);
    let begin = 0;
    for (let end = filled.indexOf(NEWLINE, rest.length); end >= 0; end = filled.indexOf(NEWLINE, begin)) {
      yield [filled.subarray(begin, end), start + begin];
      begin = end + 1;
    }
    rest = filled.subarray(begin);
    start += begin;
  }
}

/**
 * Appends a line, its newline included, to the file `path`, which is open as `fd` and holds `bytes` bytes of whole lines.
 * - Throws the system's error when that fails (disk full); the file is then cut back to `bytes`, if the disk lets it be.
 * - Throws a `UserError`, and writes nothing, where the file is not as long as we left it, or was deleted.
 */
export function appendLine(fd: number, line: Buffer, bytes: number, path: string): void {
  refuseChanged(fd, bytes, path);
  try {
    // One write can be short, on a disk that is nearly full; the next one then says why.
    for (let done = 0; done < line.length; ) done += writeSync(fd, line, done);
  } catch (error) {
    try {
      ftruncateSync(fd, bytes);
    } catch {
      // Whoever reads the file next drops it.
    }
    throw error;
  }
}

/** Throws a `UserError` where an open file was deleted, or is not `bytes` long, as we left it: somebody else is at it. */
export function refuseChanged(fd: number, bytes: number, path: string): void {
  const { size, nlink } = fstatSync(fd);
  if (nlink === 0) {
    throw new UserError(
      `${path} was deleted while this process wrote it`,
      'What it had written is gone with it.',
    );
  }
  if (size === bytes) return;
  throw new UserError(
    `${path} was changed by another process: it has ${size} bytes, and should have ${bytes}`,
    'This process writes no more to it. See what else runs on the same folder, then `evolve resume` the run.',
  );
}

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;
