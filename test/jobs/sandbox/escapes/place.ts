import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { removeTree } from '../../../../src/jobs/process/scratch.ts';

/** A throw-away copy of all that an attempt could be after. All paths are absolute. */
export type Place = {
  root: string;
  /** A word that only the decoys hold: a program that can say it has read one. */
  token: string;
  /** A word in the command line of whatever an attempt leaves behind. */
  mark: string;
  answers: string;
  leaderboard: string;
  otherTrial: string;
  grader: string;
  data: string;
  cache: string;
  /** The job's own folder on this machine. */
  folder: string;
  /** The home that a bare process has, with a `bin` that comes first on its PATH; and the real one. */
  home: string;
  realHome: string;
  /** A process outside: token in its environment, its arguments, an open file, its folder, and behind its sockets. */
  victim: { pid: number; tcp: number; udp: number; abstract: string; socket: string };
  /** What only some attempts need, made by their `setUp`. */
  extra: Record<string, string | number>;
};

/** A place that can be used again and again. `restore` undoes what was done to it; `remove` leaves nothing of it. */
export type Ground = { place: Place; restore: () => Promise<void>; remove: () => Promise<void> };

/** Makes a place, and starts its victim. */
export async function openGround(): Promise<Ground> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'evolve-escape-')));
  const token = randomBytes(16).toString('hex');
  let { child, ...victim } = await startVictim(root, token);
  const place: Place = {
    root,
    token,
    mark: `evolve-left-${token.slice(0, 8)}`,
    answers: join(root, 'suite/tasks/t/prepared/private/answers.csv'),
    leaderboard: join(root, 'suite/tasks/t/leaderboard.csv'),
    data: join(root, 'suite/tasks/t/prepared/public/train.csv'),
    otherTrial: join(root, 'run/trials/other/memory.md'),
    grader: join(root, 'engine/grader.js'),
    cache: join(root, 'cache'),
    folder: join(root, 'run/trials/own/work'),
    home: join(root, 'home'),
    realHome: homedir(),
    victim,
    extra: {},
  };
  const fill = () => {
    for (const file of [place.answers, place.leaderboard, place.otherTrial, place.grader]) write(file, token);
    write(place.data, 'id,x\n1,2\n');
    for (const folder of ['cache', 'run/trials/own/work', 'home/bin']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
  };
  const empty = () => {
    for (const pid of leftBehind(place)) kill(pid);
    for (const dir of ['suite', 'run', 'engine', 'cache', 'home']) removeTree(join(root, dir));
    for (const dir of ['/tmp', '/dev/shm']) removeTree(join(dir, place.mark));
    place.extra = {};
  };
  fill();
  return {
    place,
    async restore() {
      empty();
      fill();
      if (isVictimAlive(place)) return;
      await end(child);
      ({ child, ...victim } = await startVictim(root, token));
      place.victim = victim;
    },
    async remove() {
      await end(child);
      empty();
      removeTree(root);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
}

/** Processes of this machine that carry the place's mark. */
export function leftBehind({ mark }: Place): number[] {
  return readdirSync('/proc')
    .filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Is any of them there to stay? Those whose namespace ends with their job need a moment. */
export async function stays(place: Place): Promise<boolean> {
  for (let tries = 0; tries < 50 && leftBehind(place).length > 0; tries++) {
    await new Promise((done) => setTimeout(done, 10));
  }
  return leftBehind(place).length > 0;
}

/** Does the victim still run, untouched? */
export function isVictimAlive({ victim }: Place): boolean {
  try {
    // A killed one is a zombie until its parent has seen it.
    return !/^State:\s*[ZXT]/m.test(readFileSync(`/proc/${victim.pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const victimProgram = `
const fs = require('fs'), net = require('net'), dgram = require('dgram');
const [token, root] = process.argv.slice(1);
fs.mkdirSync(root + '/secret', { recursive: true });
process.chdir(root + '/secret');
fs.writeFileSync('secret.txt', token);
fs.writeFileSync('open.txt', token);
const held = fs.openSync('open.txt', 'r+');
fs.unlinkSync('open.txt');
const serve = (...at) => new Promise((done) => {
  const server = net.createServer((socket) => socket.on('error', () => {}).end(token)).listen(...at, () => done(server.address()));
});
const udp = dgram.createSocket('udp4');
udp.on('message', (_, from) => udp.send(token, from.port, from.address));
(async () => {
  const abstract = root + process.pid, socket = root + '/socket';
  fs.rmSync(socket, { force: true });
  await serve('\\0' + abstract);
  await serve(socket);
  const { port: tcp } = await serve(0, '127.0.0.1');
  await new Promise((done) => udp.bind(0, '127.0.0.1', done));
  console.log(JSON.stringify({ pid: process.pid, tcp, udp: udp.address().port, abstract, socket }));
})();`;

async function startVictim(root: string, token: string): Promise<Place['victim'] & { child: ChildProcess }> {
  const child = spawn(process.execPath, ['-e', victimProgram, token, root], {
    env: { ESCAPE_CANARY: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((done, fail) => {
    child.stdout.once('data', (chunk) => done(String(chunk)));
    child.once('exit', () => fail(new Error('the victim did not start')));
  });
  return { child, ...(JSON.parse(line) as Place['victim']) };
}
