import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Lets this process outlive whoever reads its output: a pipe whose reader has gone, a full disk, a terminal that was
 * closed. What is written there afterwards is dropped. `failed` is aborted, with the system's error as its reason, once
 * stdout cannot be written.
 */
export function outliveReaders(): { failed: AbortSignal } {
  const stdout = new AbortController();
  process.stdout.on('error', (error) => stdout.abort(error));
  process.stderr.on('error', () => {});
  outliveTerminal();
  return { failed: stdout.signal };
}

/**
 * Lets this process end in good order although its terminal was closed. Node sets terminals back as it ends, and aborts
 * (SIGABRT) where one is gone; it leaves alone what is not the same file any more.
 */
export function outliveTerminal(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on('exit', () => {
    for (const fd of terminals) {
      if (isatty(fd)) continue;
      closeSync(fd);
      openSync('/dev/null', 'r+');
    }
  });
}

/** Resolves when all that was written to a stream has gone out, or has failed to. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
