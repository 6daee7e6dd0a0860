import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import type { JobSpec } from '../job.ts';
import { execute } from '../process/execute.ts';
import { closeInherited } from '../process/inherited.ts';
import { openScratch, scratchPlaces } from '../process/scratch.ts';
import { lost, type Result } from '../result.ts';
import { findInventory } from '../slots/devices.ts';
import { claim, folderOf, isOrdered, readOrder, type Task, writeResult } from './job-folder.ts';
import { answerProbe } from './node-probe.ts';
import { nodeSandbox } from './node-sandbox.ts';

/** How long a file may take to be seen on a shared disk, seconds. */
const DISK_SECONDS = 30;

/**
 * The program of a node. `job FOLDER BATCH` runs the job of this array task as this machine's runner would, and leaves its
 * result in the shared folder; it leaves quietly where another has it, or nobody wants it any more. `probe FOLDER` tells
 * what the node has.
 */
async function main([what, shared = '', batch = '']: string[]): Promise<void> {
  closeInherited();
  if (what === 'probe') return answerProbe(shared, batch);
  const task = taskHere();
  const list = join(shared, 'batches', `${batch}.json`);
  for (let i = 0; i < DISK_SECONDS && !existsSync(list); i++) await delay(1000);
  const job = (JSON.parse(readFileSync(list, 'utf8')) as string[])[Number(task.job.split('_')[1])] as string;
  if (!isOrdered(shared, job)) return console.error(`nobody wants ${job} any more`);
  if (!claim(shared, job, task)) return console.error(`another task has taken ${job}`);
  await run(shared, job, task);
}

async function run(shared: string, job: string, task: Task): Promise<void> {
  const control = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => control.abort());
  const { spec, hidden, needsSandbox } = readOrder(shared, job);
  const scratch = openScratch(scratchPlaces(null).large);
  let result: Result;
  try {
    const log = join(folderOf(shared, job), 'output.log');
    writeFileSync(log, '');
    const { sandbox, forget } = await nodeSandbox(shared, task.node);
    if (needsSandbox && sandbox.level === 'none')
      throw new Error(`${task.node} has no sandbox: ${sandbox.why}`);
    const containment = { sandbox, hidden: hidden.filter((dir) => existsSync(dir)) };
    const say = (text: string) => {
      try {
        appendFileSync(log, text);
      } catch {
        // It is for those who watch: a full disk, or one that is away, must not end the job. Its result has the log.
      }
    };
    const [identity = ''] = job.split('.');
    const gpus = await gpusOf(spec);
    result = await execute(containment, scratch.make(), spec, identity, gpus, control.signal, say);
    if (result.outcome.kind === 'lost') await forget();
  } catch (error) {
    result = lost(messageOf(error));
  }
  try {
    // Slurm ends it: why, only Slurm knows.
    if (control.signal.aborted) process.exitCode = 143;
    else await writeResult(shared, job, task, result);
  } finally {
    scratch.remove();
  }
}

function taskHere(): Task {
  const { SLURM_ARRAY_JOB_ID, SLURM_ARRAY_TASK_ID, SLURM_RESTART_COUNT, SLURMD_NODENAME } = process.env;
  return {
    job: `${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}`,
    node: SLURMD_NODENAME ?? hostname(),
    restart: Number(SLURM_RESTART_COUNT ?? 0),
  };
}

/** The GPUs that Slurm gave: by UUID, which stays right whatever a job sees of the machine; where nobody knows them, as Slurm names them. */
async function gpusOf(spec: JobSpec): Promise<string[]> {
  if (spec.gpus === 0) return [];
  const given = (process.env.CUDA_VISIBLE_DEVICES ?? '').split(',').filter((name) => name !== '');
  if (given.length === 0) throw new Error('Slurm gave no GPU: CUDA_VISIBLE_DEVICES is not set on the node');
  const { gpus } = await findInventory();
  return gpus.length === 0 ? given : gpus.map(({ uuid }) => uuid);
}

await main(process.argv.slice(2));
