import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { listInputs } from '../inputs.ts';
import type { JobSpec } from '../job.ts';
import { isInside, type Result, type ResultFile } from '../result.ts';

/*
 * The shared folder of a run, for both sides:
 *
 *   batches/<batch>.json   names of an array's jobs, by index
 *   jobs/<job>/            a job, named `<identity>.<attempt>`: job.json and input/ as it was asked for, claim/ made by the
 *                          task that runs it, output.log as it grows, files/ and result.json at its end
 *   ended/<job>            an empty file when result.json stands: one look into one folder shows all that have ended
 *   nodes/<hash>.json      that a node has a sandbox that works
 *   said/<batch>-<i>.log   what Slurm, or the program that should have run the job, had to say
 */

/** Where a task of Slurm runs. `job` is `<array>_<index>`; `restart` counts how often Slurm has begun it anew. */
export type Task = { job: string; node: string; restart: number };

/** What a node must know to run a job. `spec.folder` is `input/`. A node without a sandbox runs none that needs one. */
export type Order = { spec: JobSpec; hidden: readonly string[]; needsSandbox: boolean };

const FOLDERS = ['batches', 'jobs', 'ended', 'nodes', 'said'];

export function folderOf(shared: string, job: string): string {
  return join(shared, 'jobs', job);
}

export async function makeShared(shared: string): Promise<void> {
  for (const name of FOLDERS) await mkdir(join(shared, name), { recursive: true, mode: 0o700 });
}

/** Writes a job's folder anew. */
export async function writeOrder(
  shared: string,
  job: string,
  spec: JobSpec,
  hidden: readonly string[],
  needsSandbox = false,
) {
  const dir = folderOf(shared, job);
  const folder = join(dir, 'input');
  await rm(dir, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const path of listInputs(spec.folder, spec.outputs)) {
    if (path.includes('/')) await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(spec.folder, path), join(folder, path));
  }
  const order: Order = { spec: { ...spec, folder }, hidden, needsSandbox };
  writeWhole(join(dir, 'job.json'), JSON.stringify(order));
}

/** Tells a job that was ordered before what holds now. Its inputs stay as they are: a task may be about to read them. */
export function renewOrder(shared: string, job: string, now: Pick<Order, 'hidden' | 'needsSandbox'>): void {
  const order: Order = { ...readOrder(shared, job), ...now };
  writeWhole(join(folderOf(shared, job), 'job.json'), JSON.stringify(order));
}

/** Does a job's folder stand ready? */
export function isOrdered(shared: string, job: string): boolean {
  return existsSync(join(folderOf(shared, job), 'job.json'));
}

/** Removes what is of no more use when no job runs: all but results that nobody has taken, and what was submitted. */
export async function tidy(shared: string): Promise<void> {
  let left = 0;
  for (const job of names(join(shared, 'jobs'))) {
    if (existsSync(join(folderOf(shared, job), 'result.json'))) left++;
    else await rm(folderOf(shared, job), { recursive: true, force: true });
  }
  if (left > 0) return;
  for (const name of FOLDERS) await rm(join(shared, name), { recursive: true, force: true });
}

export function readOrder(shared: string, job: string): Order {
  return JSON.parse(readFileSync(join(folderOf(shared, job), 'job.json'), 'utf8')) as Order;
}

/**
 * Takes a job for a task; false when another has it. A job may have been submitted twice, when nobody could say whether
 * the first time had worked; to make a folder works for one alone, also on a shared disk. When Slurm starts a task
 * anew, its first self is no more, and what that had taken is its own.
 */
export function claim(shared: string, job: string, task: Task): boolean {
  const dir = folderOf(shared, job);
  if (existsSync(join(dir, 'result.json'))) return false;
  if (!makeClaim(dir)) {
    const by = claimedBy(shared, job);
    if (by === null || by.job !== task.job || by.restart >= task.restart) return false;
    renameSync(join(dir, 'claim'), join(dir, `claim-${by.restart}`));
    if (!makeClaim(dir)) return false;
  }
  writeWhole(join(dir, 'claim', 'by.json'), JSON.stringify(task));
  return true;
}

/** The task that has taken a job; null when none has. */
export function claimedBy(shared: string, job: string): Task | null {
  try {
    return JSON.parse(readFileSync(join(folderOf(shared, job), 'claim', 'by.json'), 'utf8')) as Task;
  } catch {
    return null;
  }
}

/** Leaves a result in a job's folder, its large files first, so that it is there as a whole or not at all. */
export async function writeResult(shared: string, job: string, task: Task, result: Result): Promise<void> {
  const dir = folderOf(shared, job);
  for (const file of result.files) {
    if (!('file' in file)) continue;
    const target = join(dir, 'files', file.path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(file.file, target);
  }
  writeWhole(join(dir, 'result.json'), JSON.stringify({ task, ...result }));
  await writeFile(join(shared, 'ended', job), '');
}

/** A job's result, large files where they stand in its folder, or null when there is none that is whole. */
export function readResult(shared: string, job: string): { task: Task; result: Result } | null {
  const dir = folderOf(shared, job);
  try {
    const { task, outcome, files } = JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8'));
    const found = (files as ResultFile[]).map((file) => located(file, dir));
    return { task, result: { outcome, files: found } };
  } catch {
    return null;
  }
}

/** The names in a folder; none where there is no folder. */
export function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function located(file: ResultFile, dir: string): ResultFile {
  if (!isInside(file.path)) throw new Error(`the output path ${file.path} leaves the job's folder`);
  if (!('file' in file)) return file;
  const place = join(dir, 'files', file.path);
  if (statSync(place).size !== file.bytes) throw new Error(`${file.path} is not whole`);
  return { ...file, file: place };
}

function makeClaim(dir: string): boolean {
  try {
    mkdirSync(join(dir, 'claim'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Writes a file that is there as a whole or not at all, also on another machine. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const fd = openSync(temporary, 'w');
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(temporary, path);
}
