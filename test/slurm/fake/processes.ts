import { readFileSync } from 'node:fs';

/** Ends a process and all that descend from it: what Slurm does, whatever groups they have made. */
export function endTree(pid: number, signal: NodeJS.Signals): void {
  for (const child of childrenOf(pid)) endTree(child, signal);
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    return [];
  }
}
