import { readFileSync } from 'node:fs';

/**
 * Ends a process and all that descend from it: what Slurm does, whatever groups they have made. Parents go first, so that
 * none can tell how its child has ended.
 */
export function endTree(pid: number, signal: NodeJS.Signals): void {
  for (const one of treeOf(pid)) {
    try {
      process.kill(one, signal);
    } catch {
      // It has ended.
    }
  }
}

/** Parents stand before their children. */
function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  } catch {
    return [];
  }
}
