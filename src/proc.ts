import { readFileSync } from 'node:fs';

/**
 * What Linux says of a process or thread, `at` its folder in /proc: the fields of `stat` from the third on (state, parent,
 * group, session …; proc(5)). Null where there is none such, or no /proc.
 */
export function statOf(at: string): string[] | null {
  try {
    const stat = readFileSync(`${at}/stat`, 'latin1');
    // The second field is the name in brackets, and may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/** Is there a process of that number, whosever it is? */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
