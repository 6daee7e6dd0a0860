import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { JobRecord } from '../jobs/runner.ts';
import type { Json } from '../json.ts';
import { appendLine } from '../lines.ts';
import { redact } from '../secrets.ts';
import { storageError } from './storage-error.ts';

/** What jobs really took: a line a job, no part of the run's identity, and not needed to resume. */
export type JobsLog = {
  /** Hands the line to the operating system; what fails is told by the next `commit`, and nothing is written any more. */
  append(line: { [key: string]: Json }): void;
  /** Throws a `UserError` when a line could not be written. */
  commit(): void;
  close(): void;
};

/** The log at `path` (`jobs.jsonl`); the file is made with the first line. */
export function jobsLog(path: string): JobsLog {
  let file: { fd: number; bytes: number } | null = null;
  let failure: unknown = null;
  return {
    append(line) {
      if (failure !== null) return;
      try {
        file ??= openLog(path);
        const buffer = Buffer.from(`${redact(JSON.stringify(line))}\n`);
        appendLine(file.fd, buffer, file.bytes, path);
        file.bytes += buffer.length;
      } catch (error) {
        failure = storageError(path, error);
      }
    },
    commit() {
      if (failure !== null) throw failure;
    },
    close() {
      if (file !== null) closeSync(file.fd);
      file = null;
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

/** The jobs among a log's lines, in the order in which they ended; an older version did not say who asked. */
export function jobsIn(log: Awaited<ReturnType<typeof readJobsLog>>): JobRecord[] {
  return log.flatMap((line) =>
    typeof line?.identity === 'string' ? [{ ...UNSAID, ...line } as JobRecord] : [],
  );
}

const UNSAID = {
  ...{ trial: null, genome: null, task: null, job: null },
  ...{ hit: false, waitMs: 0, runMs: 0, slot: null, gpus: 0, cpus: 1, ruled: false, sandbox: null },
};

/** Opens the log for appending; a line that a crash has cut off is ended, so that the next one stands by itself. */
function openLog(path: string): { fd: number; bytes: number } {
  const fd = openSync(path, 'a+');
  const file = { fd, bytes: fstatSync(fd).size };
  const last = Buffer.alloc(1);
  if (file.bytes > 0 && readSync(fd, last, 0, 1, file.bytes - 1) === 1 && last[0] !== 0x0a) {
    appendLine(fd, Buffer.from('\n'), file.bytes++, path);
  }
  return file;
}
