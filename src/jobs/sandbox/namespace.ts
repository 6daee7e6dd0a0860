import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { statOf } from '../../proc.ts';

/** The first process inside a sandbox, which all others there cannot outlive, as `bwrap` named it in `status`; null while there is none. */
export function firstInside(status: string): number | null {
  try {
    const pid = Number(/"child-pid": (\d+)/.exec(readFileSync(status, 'latin1'))?.[1]);
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Waits until nothing of a sandbox is left, once `bwrap` has ended and its group has been killed; at most ten seconds, after which
 * only a fault of the machine can hold a process. Where `bwrap` was ended before it named the first process inside, all that
 * it had begun is in its `group`.
 */
export async function untilEmpty(status: string, group: number): Promise<void> {
  const first = firstInside(status);
  const isLeft = first === null ? () => hasMembers(group) : () => runs(first);
  const end = performance.now() + 10_000;
  while (isLeft() && performance.now() < end) await sleep(first === null ? 5 : 1);
}

function hasMembers(group: number): boolean {
  return readdirSync('/proc').some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const [state = 'X', , of] = statOf(`/proc/${pid}`) ?? [];
    return Number(of) === group && state !== 'Z' && state !== 'X';
  });
}

/** The kernel lets a first process become a zombie only when the others are gone. */
function runs(pid: number): boolean {
  const state = statOf(`/proc/${pid}`)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}
