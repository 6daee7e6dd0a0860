import { hostname } from 'node:os';
import { exists, statOf } from '../../proc.ts';

/** A process that runs now, as `host.pid.start`; a process number alone comes back after a while. */
export function owner(pid: number = process.pid): string {
  return `${hostKey}.${pid}.${startOf(pid)}`;
}

/** Does a name that begins with an owner (`owner.rest`) belong to a process that runs now on this machine? */
export function isAlive(name: string): boolean {
  const [, pid, start] = name.split('.');
  return isHere(name) && start !== 'gone' && start === startOf(Number(pid));
}

/** Was it given on this machine? */
export function isHere(name: string): boolean {
  return name.startsWith(`${hostKey}.`);
}

const hostKey = hostname().replaceAll(/[^\w-]/g, '-');

function startOf(pid: number): string {
  const fields = statOf(`/proc/${pid}`);
  if (fields === null) return exists(pid) ? 'x' : 'gone';
  // A zombie has only not been waited for yet, and where that is for PID 1 to do it may take long.
  return fields[0] === 'Z' ? 'gone' : (fields[19] as string);
}
