import { open, readFile } from 'node:fs/promises';
import type { Json } from '../json.ts';
import { redact } from '../secrets.ts';
import { storageError } from './storage-error.ts';

/** What jobs really took: a line a job, no part of the run's identity, and not needed to resume. */
export type JobsLog = {
  /** Keeps the line until the next `flush`. */
  append(line: { [key: string]: Json }): void;
  /** Writes what is kept. Rejects with a `UserError` if that fails. */
  flush(): Promise<void>;
};

/** The log at `path` (`jobs.jsonl`); the file is made at the first flush that has something to write. */
export function jobsLog(path: string): JobsLog {
  let lines: string[] = [];
  let flight: Promise<void> = Promise.resolve();

  const write = async () => {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\n`).join('');
    lines = [];
    try {
      const file = await open(path, 'a+');
      try {
        await file.appendFile((await endsInLine(file)) ? text : `\n${text}`);
      } finally {
        await file.close();
      }
    } catch (error) {
      throw storageError(path, error);
    }
  };

  return {
    append(line) {
      lines.push(redact(JSON.stringify(line)));
    },
    flush() {
      flight = flight.then(write, write);
      return flight;
    },
  };
}

/** The lines of a jobs log; a missing file has none, and lines cut off by a crash are skipped. */
export async function readJobsLog(path: string): Promise<{ [key: string]: Json }[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as { [key: string]: Json }];
    } catch {
      return [];
    }
  });
}

/** Whether the file is empty or its last byte is a newline. */
async function endsInLine(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
