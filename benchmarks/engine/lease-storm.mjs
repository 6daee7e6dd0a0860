/**
 * Several processes lease GPUs of the same eight pretended ones, whole, in shares and as MIG instances, and are killed at
 * random moments. Prints what came of it as JSON: `leases`, `kills`, `twice` (a device with two owners, or with more than
 * all of it given away), `leaked` (devices that cannot be had when all is over).
 *
 * The witness knows nothing of lease files: who has a device binds an abstract socket of its name, which the kernel gives to
 * one process at a time and takes back when that dies.
 *
 *     node benchmarks/engine/lease-storm.mjs [LEASES]
 */
import { fork } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLeases } from '../../dist/jobs/slots/leases.js';
import { createSlots } from '../../dist/jobs/slots/slots.js';
import { rngAt } from '../../dist/rng.js';

const whole = Array.from({ length: 5 }, (_, i) => ({ uuid: `GPU-${i}`, share: 1, name: 'pretend' }));
const instances = [3, 2, 1].map((part) => ({ uuid: `MIG-${part}g`, share: part / 7, name: 'pretend' }));
const gpus = [...whole, ...instances];
const WISHES = [1, 1, 1, 2, 3, 0.5, 0.25, 0.25, 0.1];
const PROCESSES = 4;
const LOOPS = 12;

const [command, folder = '', seed = '0'] = process.argv.slice(2);
if (command === 'lease') await leaseOn(folder, seed);
else console.log(JSON.stringify(await storm(Number(command ?? 1000))));

async function storm(wanted) {
  const dir = mkdtempSync(join(tmpdir(), 'evolve-storm-'));
  process.env.EVOLVE_GPU_LEASES = join(dir, 'leases');
  const rng = rngAt('storm', wanted);
  const lines = () =>
    existsSync(join(dir, 'log')) ? readFileSync(join(dir, 'log'), 'utf8').split('\n') : [];
  const count = (kind) => lines().filter((line) => line.startsWith(kind)).length;
  let kills = 0;
  let started = 0;
  const start = () => {
    const child = fork(fileURLToPath(import.meta.url), ['lease', dir, String(started++)]);
    return { child, gone: new Promise((resolve) => child.once('exit', resolve)) };
  };
  const running = Array.from({ length: PROCESSES }, start);
  while (count('take') < wanted) {
    const before = count('take');
    await sleep(20 + rng.int(200));
    if (count('take') === before) continue;
    const at = rng.int(PROCESSES);
    running[at].child.kill('SIGKILL');
    kills++;
    // Often the next one begins before the killed one is quite gone.
    if (rng.next() < 0.5) await running[at].gone;
    running[at] = start();
  }
  for (const { child } of running) if (child.connected) child.send('enough');
  await Promise.all(running.map(({ gone }) => gone));
  const leases = openLeases([]);
  const leaked = gpus.filter(({ uuid }) => !leases.take(uuid, 0)).map(({ uuid }) => uuid);
  for (const { uuid } of gpus) leases.give(uuid);
  const files = readdirSync(process.env.EVOLVE_GPU_LEASES).filter((name) => !/\.(wanted|tmp)$/.test(name));
  const result = { leases: count('take'), kills, twice: count('twice'), leaked: [...leaked, ...files] };
  rmSync(dir, { recursive: true });
  return result;
}

/** Leases and releases until told that it is enough. */
async function leaseOn(dir, name) {
  const slots = createSlots({ cpus: 4, gpus }, { leases: openLeases([]) });
  const rng = rngAt('lease', name);
  const log = (line) => appendFileSync(join(dir, 'log'), `${line}\n`);
  /** By device: its socket, and how much of it is in use. */
  const held = new Map();
  let enough = false;
  process.once('message', () => {
    enough = true;
  });
  const enter = async (uuid, size) => {
    const mine = held.get(uuid) ?? { size: 0, socket: guard(dir, uuid, log) };
    held.set(uuid, mine);
    mine.size += size;
    if (mine.size > 1.000001) log(`twice ${uuid} within ${process.pid}`);
    await mine.socket;
  };
  const leave = async (uuid, size) => {
    const mine = held.get(uuid);
    mine.size -= size;
    if (mine.size > 1e-6) return;
    held.delete(uuid);
    const socket = await mine.socket;
    await new Promise((resolve) => (socket ? socket.close(resolve) : resolve()));
  };
  const once = async () => {
    const wish = rng.pick(WISHES);
    const cancel = rng.next() < 0.1 ? AbortSignal.timeout(rng.int(20)) : undefined;
    const lease = await slots.lease({ gpus: wish }, cancel).catch(() => null);
    if (lease === null) return;
    const parts = lease.slot.split(',').map((uuid) => [uuid, uuid.startsWith('MIG') ? 1 : Math.min(1, wish)]);
    await Promise.all(parts.map(([uuid, size]) => enter(uuid, size)));
    log(`take ${lease.slot} ${process.pid}`);
    await sleep(rng.int(10));
    // The last of a device that leaves gives its socket back before the device.
    await Promise.all(parts.map(([uuid, size]) => leave(uuid, size)));
    lease.release();
  };
  const loop = async () => {
    while (!enough) await once();
  };
  await Promise.all(Array.from({ length: LOOPS }, loop));
}

/** The socket that only one process can have; notes where another one that lives has it. */
async function guard(dir, uuid, log) {
  // Before it has the socket: it may be killed with it in the next moment.
  log(`wants ${uuid} ${process.pid}`);
  for (let clear = 0; ; ) {
    const server = createServer();
    const error = await new Promise((resolve) => {
      server.once('error', resolve);
      server.listen(`\0${dir}/${uuid}`, () => resolve(null));
    });
    if (error === null) return server;
    if (error.code !== 'EADDRINUSE') throw error;
    // Of a process that was killed some threads may still be ending, and its sockets with them. Where none is, what was in
    // use before that was found, and still is, has an owner.
    const lines = readFileSync(join(dir, 'log'), 'utf8').split('\n');
    const wanted = lines
      .filter((line) => line.startsWith(`wants ${uuid} `))
      .map((line) => line.split(' ')[2]);
    clear = [...new Set(wanted)].some(isEnding) ? 0 : clear + 1;
    if (clear === 2) {
      log(`twice ${uuid}: ${process.pid}, and one of ${[...new Set(wanted)]}`);
      return null;
    }
    await sleep(1);
  }
}

/** Was it killed, and is not quite gone? */
function isEnding(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2)[0]);
  } catch {
    return false;
  }
}
