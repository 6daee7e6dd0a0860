import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { statOf } from '../../proc.ts';
import { type CgroupPlace, home, makeCgroup, membersOf, sweepCgroups } from './cgroup.ts';

/**
 * Where this process may make control groups that bound memory and processes, found by making one; null where it may
 * nowhere. Groups that crashed owners left there are cleared up. `proc` is where the system describes this process.
 *
 * Never is a limit left behind under which we were started: groups are made inside our own, or beside it where it has no
 * memory limit and the folder above it is ours (a systemd user's `app.slice`).
 */
export async function findCgroupPlace(proc = '/proc/self'): Promise<CgroupPlace | null> {
  for (const place of placesOf(proc)) {
    try {
      const found = place();
      if (found === null) continue;
      sweepCgroups(found);
      await tryOut(found);
      return found;
    } catch {
      // Not ours to use: the next.
    }
  }
  return null;
}

/** Makes a group, has a process join it, and removes it. */
async function tryOut(place: CgroupPlace): Promise<void> {
  const group = makeCgroup(place, { memoryMb: 64, processes: 16 });
  try {
    const script = 'for door; do echo 0 >"$door" || exit 1; done';
    const env = { PATH: '/usr/bin:/bin' };
    const { status } = spawnSync('/bin/sh', ['-c', script, 'sh', ...group.doors], { env, stdio: 'ignore' });
    if (status !== 0 || group.struck() !== null) throw new Error('no process can join');
  } finally {
    await group.remove();
  }
}

function placesOf(proc: string): (() => CgroupPlace | null)[] {
  let described: { cgroup: string; mounts: string[] };
  try {
    const mounts = readFileSync(join(proc, 'mountinfo'), 'utf8').split('\n');
    described = { cgroup: readFileSync(join(proc, 'cgroup'), 'utf8'), mounts };
  } catch {
    return [];
  }
  const whole = folderOf(described, '');
  const memory = folderOf(described, 'memory');
  const pids = folderOf(described, 'pids');
  return [
    ...(whole === null ? [] : [() => inside(whole), () => beside(whole), () => instead(whole)]),
    ...(memory === null || pids === null
      ? []
      : [(): CgroupPlace => ({ kind: 'cgroup v1', dirs: [memory, pids] })]),
  ];
}

/** The folder of our own group in the hierarchy of a controller; that of version 2 has no name. */
function folderOf(
  { cgroup, mounts }: { cgroup: string; mounts: string[] },
  controller: string,
): string | null {
  const line = cgroup.split('\n').find((text) => text.split(':')[1]?.split(',').includes(controller));
  const own = line?.split(':').slice(2).join(':');
  if (own === undefined) return null;
  for (const mount of mounts) {
    const [before = '', after = ''] = mount.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    const fits =
      controller === '' ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes(controller);
    const top = root === '/' ? '' : root;
    if (fits && (own === root || own.startsWith(`${top}/`))) return join(point, own.slice(top.length));
  }
  return null;
}

const needed = ['memory', 'pids'];

function inside(dir: string): CgroupPlace {
  const control = join(dir, 'cgroup.subtree_control');
  const on = readFileSync(control, 'utf8').trim().split(' ');
  // Refused where the controllers are not there, and where the group holds processes.
  if (!needed.every((name) => on.includes(name)))
    writeFileSync(control, needed.map((name) => `+${name}`).join(' '));
  return { kind: 'cgroup v2', dirs: [dir] };
}

function beside(own: string): CgroupPlace | null {
  const uid = process.getuid?.() ?? 0;
  for (let dir = own; readFileSync(join(dir, 'memory.max'), 'utf8').trim() === 'max'; dir = dirname(dir)) {
    const above = dirname(dir);
    const ours = basename(dir) === home || (uid !== 0 && statSync(above).uid === uid);
    if (!ours) return null;
    const on = readFileSync(join(above, 'cgroup.subtree_control'), 'utf8').trim().split(' ');
    if (needed.every((name) => on.includes(name))) return { kind: 'cgroup v2', dirs: [above] };
  }
  return null;
}

/** Where the group holds nothing but us, and was given to us: we all move into one inside it. */
function instead(own: string): CgroupPlace | null {
  const members = membersOf(own);
  if (!isGiven(own) || !members.every(isRelated())) return null;
  const house = join(own, home);
  mkdirSync(house, { recursive: true });
  for (const pid of members) writeFileSync(join(house, 'cgroup.procs'), String(pid));
  return inside(own);
}

/** Systemd gives a group away by `Delegate=`, to users by its owner too; a container its only one. */
function isGiven(dir: string): boolean {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return statSync(dir).uid === uid;
  if (readFileSync('/proc/self/cgroup', 'utf8').includes('0::/\n')) return true;
  const shown = execFileSync('systemctl', ['show', '-p', 'Delegate', '--value', basename(dir)], {
    timeout: 5000,
    env: { PATH: '/usr/bin:/bin' },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return shown.trim() === 'yes';
}

/** Is a process one of those that started us, or started by one of them? */
function isRelated(): (pid: number) => boolean {
  const line = new Set<number>();
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = parentOf(pid)) line.add(pid);
  return (pid) => line.has(pid) || line.has(parentOf(pid));
}

function parentOf(pid: number): number {
  const fields = statOf(`/proc/${pid}`);
  if (fields === null) throw new Error(`there is no process ${pid}`);
  return Number(fields[1]);
}
