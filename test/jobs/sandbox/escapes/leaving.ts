import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchPlaces } from '../../../../src/jobs/process/scratch.ts';
import type { Escape } from './escape.ts';
import { type Place, stays } from './place.ts';

/** Attempts to change what judges, what others rely on, or what comes later. */
export const leaving: Escape[] = [
  {
    name: 'writes the answers',
    language: 'node',
    program: "fs.writeFileSync(P.answers, 'mine')",
    got: changed('answers'),
  },
  {
    name: 'writes the grader',
    language: 'node',
    program: "fs.writeFileSync(P.grader, 'mine')",
    got: changed('grader'),
  },
  {
    name: 'writes the data',
    language: 'node',
    program: "fs.writeFileSync('data/train.csv', 'mine')",
    got: (place) => readFileSync(place.data, 'utf8') === 'mine',
  },
  {
    name: "writes another trial's memory",
    language: 'node',
    program: "fs.writeFileSync(P.otherTrial, 'mine')",
    got: changed('otherTrial'),
  },
  {
    name: 'puts a result into the cache',
    language: 'node',
    program: "fs.mkdirSync(P.cache + '/ab'); fs.writeFileSync(P.cache + '/ab/abc.json', 'mine')",
    got: ({ cache }) => existsSync(join(cache, 'ab/abc.json')),
  },
  {
    name: 'writes among the programs of the system',
    language: 'node',
    needs: ['root'],
    setUp:
      ({ mark }) =>
      () =>
        rmSync(join('/usr/local/bin', mark), { force: true }),
    program: "fs.writeFileSync('/usr/local/bin/' + P.mark, '')",
    got: ({ mark }) => existsSync(join('/usr/local/bin', mark)),
  },
  {
    name: 'leaves a library for all programs to load (LD_PRELOAD)',
    language: 'node',
    needs: ['root'],
    setUp: () => {
      const before = existsSync('/etc/ld.so.preload');
      return () => before || rmSync('/etc/ld.so.preload', { force: true });
    },
    program: "fs.closeSync(fs.openSync('/etc/ld.so.preload', 'a')); out()",
  },
  {
    name: 'leaves a trojan named node on the PATH',
    language: 'node',
    program: `const dir = P.home + '/bin'; fs.writeFileSync(dir + '/node', '#!/bin/sh\\necho GOT OUT', { mode: 0o755 })`,
    later: "say('honest')",
  },
  {
    name: 'leaves a program named sh in its folder',
    language: 'node',
    program: "fs.writeFileSync('sh', '#!/bin/sh\\necho GOT OUT', { mode: 0o755 })",
    later: "cp.execSync('./sh', { stdio: 'inherit' })",
  },
  {
    name: 'leaves other files for its next job',
    language: 'node',
    program: "fs.writeFileSync('helper.mjs', \"console.log('GOT OUT')\")",
    later: "await import('./helper.mjs')",
  },
  {
    name: 'leaves a package in the folder above',
    language: 'node',
    program: `fs.mkdirSync('../node_modules/thing', { recursive: true });
      fs.writeFileSync('../node_modules/thing/index.js', "console.log('GOT OUT')");`,
    later: "await import('thing')",
  },
  {
    name: 'leaves a package in the home',
    language: 'node',
    program: `fs.mkdirSync(os.homedir() + '/.node_modules/thing', { recursive: true });
      fs.writeFileSync(os.homedir() + '/.node_modules/thing/index.js', "console.log('GOT OUT')");`,
    later: "import { createRequire } from 'node:module'; createRequire(import.meta.url)('thing')",
  },
  {
    name: 'leaves options for npm in the home',
    language: 'node',
    program: "fs.writeFileSync(os.homedir() + '/.npmrc', 'node-options=--require=thing')",
    later: "if (fs.existsSync(os.homedir() + '/.npmrc')) out()",
  },
  {
    name: 'leaves a note in /tmp',
    language: 'node',
    program: "fs.writeFileSync('/tmp/' + P.mark, 'GOT OUT')",
    later: "say(fs.readFileSync('/tmp/' + P.mark, 'utf8'))",
  },
  {
    name: 'leaves a note in shared memory (a file)',
    language: 'node',
    program: "fs.writeFileSync('/dev/shm/' + P.mark, 'GOT OUT')",
    later: "say(fs.readFileSync('/dev/shm/' + P.mark, 'utf8'))",
  },
  {
    name: 'leaves a note in shared memory (System V)',
    language: 'python',
    program: `libc.shmat.restype = ctypes.c_void_p
id = libc.shmget(P['extra']['key'], 4096, 0o1666)
ctypes.memmove(libc.shmat(id, None, 0), b'GOT OUT', 7)`,
    later: `libc.shmat.restype = ctypes.c_void_p
id = libc.shmget(P['extra']['key'], 4096, 0)
if id >= 0: say(ctypes.string_at(libc.shmat(id, None, 0), 7)); libc.shmctl(id, 0, None)`,
  },
  {
    name: 'leaves a note among the keys of the kernel',
    language: 'python',
    guarded: true,
    program: `libc.syscall(KEYS[0], b'user', P['mark'].encode(), b'GOT OUT', 7, -4)`,
    later: `held = ctypes.create_string_buffer(8)
key = libc.syscall(KEYS[1], 10, -4, b'user', P['mark'].encode(), 0)
if libc.syscall(KEYS[1], 11, key, held, 8) > 0:
  say(held.value)
  libc.syscall(KEYS[1], 21, key)`,
  },
  {
    name: 'leaves a process behind',
    language: 'node',
    program:
      "cp.spawn('sh', ['-c', 'sleep 60; :', P.mark], { stdio: 'ignore' }).unref(); await new Promise((done) => setTimeout(done, 100))",
    got: stays,
  },
  {
    name: 'leaves a process behind, in a session of its own (a daemon)',
    language: 'node',
    program:
      "cp.spawn('setsid', ['-f', 'sh', '-c', 'sleep 60; :', P.mark], { stdio: 'ignore', detached: true }).unref(); await new Promise((done) => setTimeout(done, 200))",
    got: stays,
  },
  {
    name: 'leaves folders too deep to be removed',
    language: 'node',
    program:
      "fs.mkdirSync(P.mark); process.chdir(P.mark); for (let i = 0; i < 1000; i++) { fs.mkdirSync('deep'); process.chdir('deep'); }",
    got: foldersStay,
  },
];

function changed(name: 'answers' | 'grader' | 'otherTrial'): NonNullable<Escape['got']> {
  return (place: Place) => readFileSync(place[name], 'utf8') !== place.token;
}

/** Is its folder still there, in the trial's or wherever jobs work? A job's are removed after it is over. */
async function foldersStay({ folder, mark }: Place): Promise<boolean> {
  if (existsSync(join(folder, mark))) return true;
  const { small, large } = scratchPlaces(null);
  const found = () =>
    [...small, ...large].flatMap((place) => jobFolders(place)).some((dir) => existsSync(join(dir, mark)));
  for (let tries = 0; tries < 2000 && found(); tries++) await new Promise((done) => setTimeout(done, 10));
  return found();
}

function jobFolders(place: string): string[] {
  const below = (dir: string) => {
    try {
      return readdirSync(dir).map((name) => join(dir, name));
    } catch {
      // Others come and go meanwhile.
      return [];
    }
  };
  return below(place)
    .flatMap(below)
    .map((dir) => join(dir, 'work'));
}
