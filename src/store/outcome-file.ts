import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import type { Outcome, TrialSpec } from '../evaluation/trial.ts';
import { appendLine, linesOf } from '../lines.ts';
import { redact } from '../secrets.ts';
import { storageError } from './storage-error.ts';

/** Outcomes of trials beside the journal, a line each: a trial depends on what its id names, so each is run once. */
export type OutcomeFile = {
  /** By trial id; never a lost one. */
  known: ReadonlyMap<string, Outcome>;
  /** Hands the line to the operating system; a lost trial is not kept. Throws a `UserError` on a full disk. */
  keep(trial: TrialSpec, outcome: Outcome): void;
  /** Waits for the disk. */
  close(): void;
};

/** Opens the file at `path`, or makes it. What a crash cut off, and lines that are no outcome, count as not run. */
export function openOutcomes(path: string): OutcomeFile {
  const known = new Map<string, Outcome>();
  let fd: number;
  let bytes = 0;
  try {
    fd = openSync(path, 'a+');
  } catch (error) {
    throw storageError(path, error);
  }
  for (const [line, start] of linesOf(fd)) {
    bytes = start + line.length + 1;
    const read = readLine(line.toString('utf8'));
    if (read) known.set(read.id, read.outcome);
  }
  if (bytes < fstatSync(fd).size) ftruncateSync(fd, bytes);
  return {
    known,
    keep(trial, outcome) {
      if (outcome.kind === 'lost' || known.has(trial.id)) return;
      const line = Buffer.from(`${redact(JSON.stringify({ trial, outcome }))}\n`);
      try {
        appendLine(fd, line, bytes, path);
      } catch (error) {
        throw storageError(path, error);
      }
      bytes += line.length;
      known.set(trial.id, outcome);
    },
    close() {
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}

function readLine(text: string): { id: string; outcome: Outcome } | null {
  try {
    const { trial, outcome } = JSON.parse(text) as { trial: TrialSpec; outcome: Outcome };
    const isScored = outcome.kind === 'scored' && outcome.score >= 0 && outcome.score <= 1;
    const isKnown = isScored || (outcome.kind === 'failed' && typeof outcome.reason === 'string');
    return typeof trial.id === 'string' && isKnown ? { id: trial.id, outcome } : null;
  } catch {
    return null;
  }
}
