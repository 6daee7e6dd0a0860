import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';

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
 * Appends a line, its newline included, to a file that was opened for it and holds `bytes` bytes of whole lines. Throws
 * the system's error when that fails (disk full); the file is then cut back to `bytes`, if the disk lets it be.
 */
export function appendLine(fd: number, line: Buffer, bytes: number): void {
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

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;
