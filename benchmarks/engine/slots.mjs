// How well slots are used: jobs with lengths from a heavy tail (Pareto, shape 1.5, mean 3, cut off at 1000) on a
// simulated clock. `npm run bench:slots [-- JOBS]`: jobs of each line (2000). Exits with 1 below 95% where 64 jobs are in
// flight; below 95% of what the work that waits leaves possible anywhere; or where a GPU had two owners.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createSlots } from '../../dist/jobs/slots/slots.js';
import { rngAt } from '../../dist/rng.js';

const jobs = Number(process.argv[2] ?? 2000);
const SEEDS = [1, 2, 3];
const MIX = [1, 1, 1, 1, 2, 2, 4, 4, 0.5, 0.5, 0.25];
const gpus = Array.from({ length: 8 }, (_, i) => ({ uuid: `GPU-${i}`, share: 1, name: 'pretend' }));

console.log(
  'busy while work waits: the mean (the least) of three seeds; the least without what is too small for all work that waits;\n' +
    'longest wait of the largest, in mean job lengths',
);
const rows = [
  ['one core each, 8 cores', { wishes: [0], inFlight: 64 }],
  ['one GPU each, 8 GPUs', { wishes: [1], inFlight: 64 }],
  ['1, 2, 4 GPUs and shares, 8 GPUs', { wishes: MIX, inFlight: 64 }],
  ['the same, 16 in flight', { wishes: MIX, inFlight: 16 }],
  ['1, 2, 4 and a half alike, 8 GPUs', { wishes: [1, 2, 4, 0.5], inFlight: 64 }],
];
for (const [name, options] of rows) {
  const found = [];
  for (const seed of SEEDS) found.push(await simulate({ ...options, seed }));
  const shares = found.map(({ share }) => share);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const least = Math.min(...shares);
  const fitting = Math.min(...found.map(({ fitting }) => fitting));
  const wait = Math.max(...found.map(({ longest }) => longest));
  console.log(
    `  ${name.padEnd(34)} ${percent(mean)} (${percent(least)})  ${percent(fitting)}  ${(wait / 3).toFixed(0).padStart(4)}`,
  );
  if (least < 0.95 && options.inFlight === 64) process.exitCode = 1;
  if (fitting < 0.95) process.exitCode = 1;
}

const storm = fileURLToPath(new URL('lease-storm.mjs', import.meta.url));
const { stdout } = await promisify(execFile)(process.execPath, [storm, '1000']);
const { leases, kills, twice, leaked } = JSON.parse(stdout);
console.log(
  `leases of 8 pretended GPUs by 4 processes: ${leases}, ${kills} of the processes killed; ` +
    `two owners at once: ${twice}, leaked: ${leaked.length}`,
);
if (twice > 0 || leaked.length > 0) process.exitCode = 1;

/** `inFlight` trials ask for a job after the other. `share` counts parts of GPUs as such. */
async function simulate({ wishes, inFlight, seed }) {
  const rng = rngAt(seed, 'slots');
  const onCores = wishes[0] === 0;
  const slots = createSlots({ cpus: onCores ? 8 : 1, gpus: onCores ? [] : gpus });
  const largest = Math.max(...wishes);
  const running = [];
  const waits = [];
  const loads = new Map(gpus.map(({ uuid }) => [uuid, 0]));
  let [now, asked, load, busy, total, unused, longest] = [0, 0, 0, 0, 0, 0, 0];
  const ask = async () => {
    if (asked++ >= jobs) return;
    const wish = rng.pick(wishes);
    const length = Math.min(1000, (1 - rng.next()) ** (-1 / 1.5));
    const began = now;
    waits.push(wish);
    const lease = await slots.lease({ gpus: wish });
    waits.splice(waits.indexOf(wish), 1);
    count(lease, wish);
    const size = onCores ? 1 : wish;
    load += size;
    if (wish === largest) longest = Math.max(longest, now - began);
    running.push({ end: now + length, size, wish, lease });
  };
  const count = ({ slot }, wish) => {
    if (!onCores)
      for (const uuid of slot.split(','))
        loads.set(uuid, loads.get(uuid) + Math.sign(wish) * Math.min(1, Math.abs(wish)));
  };
  /** Is there room for such a request now, whoever it may be kept for? */
  const fits = (wish) =>
    onCores
      ? load < 8
      : [...loads.values()].filter((used) => used + Math.min(1, wish) < 1.001).length >= Math.ceil(wish);
  for (let i = 0; i < inFlight; i++) void ask();
  for (;;) {
    // Whoever was served goes on.
    await new Promise((resolve) => setImmediate(resolve));
    if (running.length === 0) return { share: busy / total, fitting: 1 - unused / total, longest };
    running.sort((a, b) => b.end - a.end);
    const { end, size, wish, lease } = running.pop();
    if (waits.length > 0) {
      if (waits.some(fits)) unused += (8 - load) * (end - now);
      busy += load * (end - now);
      total += 8 * (end - now);
    }
    now = end;
    load -= size;
    count(lease, -wish);
    lease.release();
    void ask();
  }
}

function percent(share) {
  return `${(100 * share).toFixed(1)}%`;
}
