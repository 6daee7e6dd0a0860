import { userInfo } from 'node:os';
import type { Answer, Slurm } from './programs.ts';
import { isAlive } from './states.ts';

/** A task as Slurm tells of it. `node` and `reason` may be empty. */
export type TaskLine = {
  id: string;
  index: number;
  state: string;
  node: string;
  reason: string;
  name: string;
};

/**
 * Asks once after all tasks of this user whose job has one of our names (`prefix` and what follows), those that ended a
 * while ago among them. An answer without its heading is none: a job that is not in it is not gone.
 */
export async function askQueue(slurm: Slurm, prefix: string): Promise<TaskLine[] | { said: string }> {
  const user = `--user=${userInfo().uid}`;
  const answer = await slurm('squeue', ['--array', '--states=all', user, '--format=%F|%K|%T|%N|%r|%j']);
  if (answer.kind !== 'ok') return { said: answer.said };
  const [heading = '', ...lines] = answer.text.split('\n');
  if (!/^[A-Z_]+(\|[A-Z_]+){5}\s*$/.test(heading)) return { said: 'squeue: its answer cannot be read' };
  return lines.flatMap((line) => {
    const [, id, index, state, node, reason, name] = QUEUED.exec(line) ?? [];
    if (name === undefined || !name.startsWith(prefix)) return [];
    return [{ id, index: Number(index), state, node, reason, name } as TaskLine];
  });
}

/**
 * The states of tasks (`<array>_<index>`) that squeue has forgotten, as far as sacct (where there is accounting) or
 * scontrol knows them.
 */
export function askHistory(slurm: Slurm): (tasks: readonly string[]) => Promise<Map<string, string>> {
  // Tried until it says that there is none.
  let accounting = true;
  return async (tasks) => {
    const states = new Map<string, string>();
    const arrays = [...new Set(tasks.map((task) => task.split('_')[0] as string))];
    if (accounting) {
      const format = ['--noheader', '--parsable2', '--allocations', '--format=JobID,State'];
      const answer = await slurm('sacct', [...format, `--jobs=${arrays.join(',')}`]);
      if (answer.kind === 'ok') readAccounts(answer.text, states);
      accounting = !lacksAccounting(answer);
    }
    for (const id of arrays) {
      if (tasks.every((task) => !task.startsWith(`${id}_`) || states.has(task))) continue;
      const answer = await slurm('scontrol', ['--oneliner', 'show', 'job', id]);
      if (answer.kind === 'ok') readJobs(answer.text, states);
    }
    return states;
  };
}

/** The largest number of tasks in an array. */
export async function askArraySize(slurm: Slurm): Promise<number> {
  const answer = await slurm('scontrol', ['show', 'config']);
  const found = answer.kind === 'ok' ? /^MaxArraySize\s*=\s*(\d+)/m.exec(answer.text)?.[1] : undefined;
  return Math.max(1, Number(found ?? SLURMS_OWN));
}

/** What Slurm takes unless it is told otherwise. */
const SLURMS_OWN = 1001;
const QUEUED = /^(\d+)\|(\d+)\|([A-Z_]+)\|([^|]*)\|([^|]*)\|(.*)$/;

function lacksAccounting(answer: Answer): boolean {
  return answer.kind !== 'ok' && /disabled|cannot be run/.test(answer.said);
}

/** Accounts can lag behind for ever: that a job still runs, only Slurm itself can say. */
function readAccounts(text: string, states: Map<string, string>): void {
  for (const [, task = '', state = ''] of text.matchAll(/^(\d+_\d+)\|([A-Z_]+)/gm)) {
    if (!isAlive(state)) states.set(task, state);
  }
}

function readJobs(text: string, states: Map<string, string>): void {
  for (const line of text.split('\n')) {
    const id = /\bArrayJobId=(\d+)/.exec(line)?.[1];
    const index = /\bArrayTaskId=(\d+)(?=\s)/.exec(line)?.[1];
    const state = /\bJobState=([A-Z_]+)/.exec(line)?.[1];
    if (id !== undefined && index !== undefined && state !== undefined) states.set(`${id}_${index}`, state);
  }
}
