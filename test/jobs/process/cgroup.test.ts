import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Cgroup,
  type CgroupPlace,
  makeCgroup,
  membersOf,
  sweepCgroups,
} from '../../../src/jobs/process/cgroup.ts';
import { findCgroupPlace } from '../../../src/jobs/process/cgroup-place.ts';
import { owner } from '../../../src/owner.ts';
import { folder, until } from '../fixture.ts';

const place = await findCgroupPlace();
const bounds = { memoryMb: 64, processes: 16 };

afterEach(() => void vi.useRealTimers());

/** Runs a shell script within a group; gives its exit code, 128 and more for a signal. */
function within(group: Cgroup, script: string): number {
  const join = 'for door in "$@"; do echo 0 >"$door" || exit 99; done;';
  const argv = ['-c', `${join} ${script}`, 'sh', ...group.doors];
  const { status } = spawnSync('/bin/sh', argv, { stdio: 'ignore' });
  return status ?? 137;
}

describe.skipIf(place === null)(
  `control groups of this machine (${place?.kind ?? 'none can be made here'})`,
  () => {
    const made = (bounded = bounds) => {
      const group = makeCgroup(place!, bounded);
      onTestFinished(() => group.remove());
      return group;
    };

    test('hold memory, and say when it ran out', async () => {
      const group = made();
      expect(within(group, 'true')).toBe(0);
      expect(group.struck()).toBe(null);
      expect(within(group, 'head -c 200000000 /dev/zero | tail -c 150000000')).toBe(137);
      expect(group.struck()).toBe('memory');
    });

    test('hold the number of processes, and say when one was refused', () => {
      const group = made();
      within(group, 'for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3; do sleep 600 & done; done');
      expect(group.struck()).toBe('processes');
    });

    test('what is in one is ended with it, also what forks as fast as it can', async () => {
      // A shell whose fork is refused ends by itself: there is room for all that it comes to.
      const group = made({ memoryMb: 1024, processes: 1000 });
      // One that comes too late, when the group has gone, must not go on outside.
      const script = 'for d in "$@"; do echo 0 >"$d" || exit; done; while :; do sleep 0.01 & done';
      for (let i = 0; i < 3; i++)
        spawn('/bin/sh', ['-c', script, 'sh', ...group.doors], { stdio: 'ignore', detached: true }).unref();
      const [door = ''] = group.doors;
      await until(() => membersOf(dirname(door)).length > 5, 'the processes to start');
      await group.remove();
      expect(group.doors.filter((file) => existsSync(file))).toEqual([]);
    });

    test('those of an owner who is no more are swept, and no others', async () => {
      // In folders of their own: whoever starts a runner on this machine sweeps the others.
      const own = {
        ...place!,
        dirs: place!.dirs.map((dir) => join(dir, `sweep-${process.pid}`)),
      } as CgroupPlace;
      onTestFinished(() => own.dirs.forEach((dir) => void rmdirSync(dir)));
      const dead = spawnSync('/bin/sh', ['-c', ':']).pid;
      const [left, living] = [dead, process.pid].map((pid) =>
        own.dirs.map((dir) => join(dir, `evolve-${owner(pid)}.0`)),
      ) as [string[], string[]];
      for (const dir of [...own.dirs, ...left, ...living]) mkdirSync(dir);
      onTestFinished(() => living.forEach((dir) => void rmdirSync(dir)));
      const sleeper = spawn('/bin/sh', [
        '-c',
        'for d; do echo 0 >"$d" || exit; done; exec sleep 600',
        'sh',
        ...left.map((dir) => join(dir, 'cgroup.procs')),
      ]);
      const gone = new Promise((resolve) => sleeper.once('exit', resolve));
      await until(() => left.every((dir) => membersOf(dir).length === 1), 'the process to join');
      sweepCgroups(own);
      await gone;
      sweepCgroups(own);
      expect(left.filter((dir) => existsSync(dir))).toEqual([]);
      expect(living.filter((dir) => !existsSync(dir))).toEqual([]);
    });

    test('those of an owner on a machine of another name are left alone', () => {
      const left = place!.dirs.map((dir) => join(dir, `evolve-another-name.${process.pid}.1.0`));
      for (const dir of left) mkdirSync(dir);
      onTestFinished(() => left.forEach((dir) => void rmdirSync(dir)));
      sweepCgroups(place!);
      expect(left.filter((dir) => !existsSync(dir))).toEqual([]);
    });
  },
);

/** What stands for the file system of version 2: the files of a group, whose values the test plays. */
function pretend(files: Record<string, string>, cgroup: string, mount = '') {
  const dir = folder({
    ...Object.fromEntries(Object.entries(files).map(([path, text]) => [`fs/${path}`, text])),
    cgroup,
  });
  writeFileSync(join(dir, 'mountinfo'), `41 31 0:38 / ${dir}/fs${mount} rw,relatime - cgroup2 cgroup2 rw\n`);
  return dir;
}

/** Finds a place there. The kernel would have the files of a group go with it; nobody does so here. */
async function found(dir: string) {
  vi.useFakeTimers();
  const finding = findCgroupPlace(dir);
  await vi.runAllTimersAsync();
  const place = await finding;
  return place && { ...place, dirs: place.dirs.map((path) => path.slice(dir.length + 3)) };
}

describe('version 2, pretended', () => {
  const group = { 'cgroup.subtree_control': 'cpu memory pids\n', 'memory.max': 'max\n', 'cgroup.procs': '' };
  const at = (path: string, change: Partial<typeof group> = {}) =>
    Object.fromEntries(
      Object.entries({ ...group, ...change }).map(([name, text]) => [`${path}/${name}`, text]),
    );

  test('groups are made inside our own where it has the controllers', async () => {
    expect(await found(pretend(at('a/own'), '0::/a/own\n'))).toEqual({ kind: 'cgroup v2', dirs: ['/a/own'] });
  });

  test('a mount that shows a part of the tree is understood, and a version 1 beside it', async () => {
    const dir = pretend(at('own'), '4:memory:/else\n0::/pod/own\n');
    const mountinfo = readFileSync(join(dir, 'mountinfo'), 'utf8');
    writeFileSync(join(dir, 'mountinfo'), mountinfo.replace(' / ', ' /pod '));
    expect(await found(dir)).toEqual({ kind: 'cgroup v2', dirs: ['/own'] });
  });

  test('where nothing says what groups there are, there is no place', async () => {
    expect(await found(folder())).toBe(null);
    expect(await found(pretend({}, ''))).toBe(null);
    expect(await found(pretend({}, '0::/a\n'))).toBe(null);
  });

  test('a group bounds memory, swap and processes, and is ended as one', () => {
    const dir = folder();
    const group = makeCgroup({ kind: 'cgroup v2', dirs: [dir] }, bounds);
    const home = dirname(group.doors[0] as string);
    const file = (name: string) => readFileSync(join(home, name), 'utf8');
    expect(group.doors).toEqual([join(dir, basename(home), 'cgroup.procs')]);
    expect([file('memory.max'), file('pids.max')]).toEqual([String(64 * 2 ** 20), '16']);
    writeFileSync(join(home, 'cgroup.kill'), '');
    group.kill();
    expect(file('cgroup.kill')).toBe('1');
  });

  test.each([
    ['low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n', 'max 0\n', null],
    ['max 900\noom 0\noom_kill 0\n', 'max 0\n', null],
    ['max 9\noom 1\noom_kill 1\noom_group_kill 1\n', 'max 3\n', 'memory'],
    ['max 0\noom 0\noom_kill 1\n', 'max 0\n', 'machine'],
    ['max 0\noom 0\noom_kill 0\n', 'max 3\n', 'processes'],
  ])('what it has run into is read from its events: %j %j', (memory, pids, expected) => {
    const group = makeCgroup({ kind: 'cgroup v2', dirs: [folder()] }, bounds);
    const home = dirname(group.doors[0] as string);
    writeFileSync(join(home, 'memory.events'), memory);
    writeFileSync(join(home, 'pids.events'), pids);
    expect(group.struck()).toBe(expected);
  });

  test('an empty group is removed', async () => {
    const dir = folder();
    const group = makeCgroup({ kind: 'cgroup v2', dirs: [dir] }, bounds);
    for (const name of readdirSync(dirname(group.doors[0] as string)))
      rmSync(join(dirname(group.doors[0] as string), name));
    await group.remove();
    expect(readdirSync(dir)).toEqual([]);
  });
});
