import { closeSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Closes what this process was given open by whoever started it, beside stdio: a shell may hold any file or socket open,
 * and every job would have it, too. Node closes the low numbers by itself when it starts a process, and its own
 * descriptors close themselves, which is how they are told apart. Does nothing where there is no `/proc`.
 */
export function closeInherited(): void {
  for (const fd of openDescriptors()) {
    if (fd <= 2 || closesItself(fd)) continue;
    try {
      closeSync(fd);
    } catch {
      // It is gone already.
    }
  }
}

function openDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

/** Is it O_CLOEXEC? True also of one that is gone, as the one by which the list was read. */
function closesItself(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & 0o2000000) !== 0;
  } catch {
    return true;
  }
}
