import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { identify } from '../../src/jobs/identify.ts';
import type { JobSpec } from '../../src/jobs/job.ts';
import { type LocalOptions, localRunner } from '../../src/jobs/local/local.ts';
import type { JobRecord, RunnerOptions } from '../../src/jobs/runner.ts';
import type { Gpu } from '../../src/jobs/slots/devices.ts';

/** A new folder with these files, removed when the test is over. */
export function folder(files: Record<string, string> = {}): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'evolve-test-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

/** A job that runs `main` with Node over `data/train.csv`. */
export function job(main: string, change: Partial<JobSpec> = {}): JobSpec {
  return {
    command: ['node', 'main.mjs'],
    folder: folder({ 'main.mjs': main }),
    data: { dir: folder({ 'train.csv': 'id,x\n1,2\n' }), hash: 'data-1' },
    outputs: ['submission.csv'],
    limits: { seconds: 30, memoryMb: 256, outputBytes: 4096 },
    gpus: 0,
    ...change,
  };
}

/** A runner that is closed when the test is over, and what it was told of its jobs. */
export function runner(options: Partial<LocalOptions & RunnerOptions> = {}) {
  const records: JobRecord[] = [];
  const jobs = localRunner({ cacheDir: null, onJob: (record) => records.push(record), ...options });
  onTestFinished(() => jobs.close());
  const run = (spec: JobSpec, signal?: AbortSignal) => jobs.run(spec, identify(spec), signal);
  return { jobs, run, records };
}

/** A MIG instance that is this part of its GPU. */
export function mig(uuid: string, share: number): Gpu {
  return { uuid, share, name: 'MIG' };
}

/** Processes of this machine with `mark` in their command line, or only those of Node. */
export function processesWith(mark: string, node = false): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      if (!/^\d+$/.test(pid)) return false;
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes(mark) && (!node || /^[^\0]*\/node\0/.test(line));
    } catch {
      return false;
    }
  });
}

/** Waits until `holds` does; fails after a minute. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** GPUs of these names, for an inventory. */
export function gpus(...uuids: string[]): Gpu[] {
  return uuids.map((uuid) => ({ uuid, share: 1, name: 'pretend' }));
}

let marks = 0;
/** A word that no other process has in its command line. */
export function mark(): string {
  return `evolve-mark-${process.pid}-${marks++}`;
}
