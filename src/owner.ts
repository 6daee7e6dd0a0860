import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { exists, statOf } from './proc.ts';

/**
 * Whether the process behind an owner's name still runs.
 * - `gone` only where that is certain.
 * - `unknown` where the process cannot be seen from here: it belongs to another machine, to another boot of this one, or to
 *   another container (a PID namespace of its own).
 */
export type Life = 'alive' | 'gone' | 'unknown';

/**
 * The name of a running process that no other process ever has, as `realm.pid.start`; fit for a file name.
 * - realm: among whom process numbers mean the same: a boot of a machine and a PID namespace in it
 * - start: clock ticks from the boot to its start, as the same number comes back after a while
 */
export function owner(pid: number = process.pid): string {
  return `${realm}.${pid}.${startOf(pid) ?? 'unknown'}`;
}

/** Whether the owner with whose name `name` begins (`owner` or `owner.rest`) still runs. */
export function lifeOf(name: string): Life {
  const [where = '', number = '', start = ''] = name.split('.');
  const pid = Number(number);
  if (where === realm) return lifeHere(pid, start);
  const [boot, space] = where.split('-');
  const isOtherSpace = boot === BOOT && space !== undefined && space !== 'unknown';
  return isOtherSpace && seesAllProcesses() ? lifeIn(space, pid) : 'unknown';
}

/**
 * Whether what stands at `path` may be removed, as the owner with whose name `name` begins is gone; where that cannot be
 * told, only after a week in which nobody has touched it.
 */
export function isAbandoned(name: string, path: string): boolean {
  const life = lifeOf(name);
  if (life !== 'unknown') return life === 'gone';
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  return Date.now() - touched > WEEK_MS;
}

/** Whether the name was given in this realm, so that its process number means the same process to us. */
export function isOfThisRealm(name: string): boolean {
  return name.startsWith(`${realm}.`);
}

/** Whether /proc shows processes by the numbers that they have for us; not in a container that has the host's /proc. */
export function procIsOurs(): boolean {
  return selfOfProc === process.pid;
}

const WEEK_MS = 7 * 24 * 3600_000;

/** The PID namespace that every machine begins with; Linux gives it this fixed number. */
const FIRST_SPACE = '4026531836';

const selfOfProc = Number(linkOf('/proc/self'));
const BOOT = textOf('/proc/sys/kernel/random/boot_id').replaceAll('-', '').slice(0, 16);
const realm = realmName();

/** Without /proc (macOS) processes are known by their numbers on the machine of this name. */
function realmName(): string {
  if (BOOT === '') return hostname().replaceAll(/[^\w]/g, '_');
  return `${BOOT}-${spaceOf('self') ?? 'unknown'}`;
}

function lifeHere(pid: number, start: string): Life {
  if (!exists(pid)) return 'gone';
  const now = startOf(pid);
  if (now === 'ended') return 'gone';
  if (start === 'unknown' || now === null) return 'unknown';
  return now === start ? 'alive' : 'gone';
}

/** Of a process in another PID namespace, where this /proc shows all processes of the machine. */
function lifeIn(space: string, pid: number): Life {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // The numbers that the process has, from the first namespace to its own: most processes are in the first.
    const numbers = /^NSpid:\s*(.*)$/m.exec(textOf(`/proc/${entry}/status`))?.[1]?.split(/\s+/) ?? [];
    if (numbers.length < 2 || isEnded(statOf(`/proc/${entry}`))) continue;
    const found = spaceOf(entry);
    // What may not be looked at could be it.
    if (found === null) return 'unknown';
    if (found === space && Number(numbers.at(-1)) === pid) return 'alive';
  }
  return 'gone';
}

/** Kernel threads show in the first PID namespace only, and everything else shows there, too. */
function seesAllProcesses(): boolean {
  const fields = statOf('/proc/2');
  return fields !== null && fields[1] === '0' && (spaceOf('2') ?? FIRST_SPACE) === FIRST_SPACE;
}

/** The number of the PID namespace of a process, an entry of /proc; null where there is none or it may not be read. */
function spaceOf(entry: string): string | null {
  return /^pid:\[(\d+)\]$/.exec(linkOf(`/proc/${entry}/ns/pid`))?.[1] ?? null;
}

/** Null where it cannot be known. */
function startOf(pid: number): string | 'ended' | null {
  if (pid !== process.pid && !procIsOurs()) return null;
  const fields = statOf(pid === process.pid ? '/proc/self' : `/proc/${pid}`);
  if (fields === null) return null;
  return isEnded(fields) ? 'ended' : fields[19]!;
}

/** A zombie has ended, too: it only waits to be reaped, which may take long. */
function isEnded(fields: string[] | null): boolean {
  return fields === null || fields[0] === 'Z' || fields[0] === 'X';
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
