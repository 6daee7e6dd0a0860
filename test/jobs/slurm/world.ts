import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Backend, Ran } from '../../../src/jobs/backend.ts';
import { identify } from '../../../src/jobs/identify.ts';
import type { JobSpec } from '../../../src/jobs/job.ts';
import { slurmBackend } from '../../../src/jobs/slurm/backend.ts';
import {
  type Clock,
  type SlurmOptions,
  type SlurmSettings,
  slurmDefaults,
} from '../../../src/jobs/slurm/settings.ts';
import { isAlive } from '../../../src/jobs/slurm/states.ts';
import { type FakeCluster, type FakeTask, openCluster } from '../../slurm/fake/cluster.ts';

/** A pretended cluster, a shared folder, and jobs that leave a line each time they run. */
export type World = {
  cluster: FakeCluster;
  dir: string;
  /** The shared folder. */
  folder: string;
  options(settings?: Partial<SlurmSettings>): SlurmOptions;
  /** A backend on the shared folder, closed at the end. */
  open(settings?: Partial<SlurmSettings>, change?: Partial<SlurmOptions>): Backend;
  spec(name: string, change?: Partial<JobSpec>, main?: string): JobSpec;
  /** What backends said. */
  said: string[];
  /** A job that is held does not end before it is let go. */
  hold(...names: string[]): void;
  letGo(...names: string[]): void;
  /** How often each job has run. */
  runs(): Record<string, number>;
  begun(...names: string[]): Promise<void>;
  /** Waits until squeue has answered so many more times. */
  polls(times: number): Promise<void>;
  /** Puts the clocks of backends forward, ms. */
  leap(ms: number): void;
  /** Waits for a task's process to end. */
  ended(task: FakeTask): Promise<void>;
  until: typeof until;
  /** Tasks of ours that run or may come to. */
  left(): FakeTask[];
  close(): Promise<void>;
};

/** How much faster the clock of backends is. */
export const SPEED = 10;
/** How much where jobs are to be cancelled: several programs, one after the other, must not take a minute. */
export const SLOWER = 3;

/**
 * A clock that goes faster, by default so fast that a program of Slurm may seem to take ten seconds. While this process is
 * held up it all but stands still: what backends wait for would have come meanwhile.
 */
export function clockOf(speed = SPEED): Clock {
  let last = performance.now();
  let time = last;
  const now = () => {
    const real = performance.now();
    time += Math.min(real - last, 100);
    last = real;
    return time * speed;
  };
  setInterval(now, 20).unref();
  return {
    now,
    sleep: (ms, signal) => delay(ms / speed, undefined, { signal }).catch(() => {}),
  };
}

export async function openWorld(): Promise<World> {
  const cluster = await openCluster();
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'evolve-world-')));
  const folder = join(dir, 'shared');
  const data = join(dir, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'train.csv'), 'id,x\n1,2\n');
  const witness = join(dir, 'witness');
  const held = (name: string) => join(dir, `hold-${name}`);
  const backends: Backend[] = [];
  let leapt = 0;
  const leaping = (clock: Clock): Clock => ({ ...clock, now: () => clock.now() + leapt });

  const world: World = {
    cluster,
    dir,
    folder,
    said: [],
    options: (settings = {}) => ({
      folder,
      run: 'test',
      settings: { ...slurmDefaults, pollMs: 2000, maxPauseMs: 600_000, ...settings },
      hidden: [],
      programs: cluster.programs,
      env: cluster.env,
      clock: leaping(clockOf()),
      say: (line) => world.said.push(line),
    }),
    open(settings, change = {}) {
      const backend = slurmBackend({ ...world.options(settings), ...change });
      let closed: Promise<void> | undefined;
      const close = () => {
        closed ??= backend.close();
        return closed;
      };
      backends.push({ ...backend, close });
      return { ...backend, close };
    },
    spec(name, change = {}, main = MAIN) {
      const place = mkdtempSync(join(dir, 'job-'));
      writeFileSync(join(place, 'main.mjs'), main);
      return {
        command: ['node', 'main.mjs', dir, name],
        folder: place,
        data: { dir: data, hash: 'data-1' },
        outputs: ['out.txt'],
        limits: { seconds: 60, memoryMb: 256, outputBytes: 4096 },
        gpus: 0,
        ...change,
      };
    },
    hold: (...names) => {
      for (const name of names) writeFileSync(held(name), '');
    },
    letGo: (...names) => {
      for (const name of names) rmSync(held(name), { force: true });
    },
    runs() {
      const runs: Record<string, number> = {};
      const lines = existsSync(witness) ? readFileSync(witness, 'utf8').trim().split('\n') : [];
      for (const name of lines) runs[name] = (runs[name] ?? 0) + 1;
      return runs;
    },
    begun: (...names) => until(() => names.every((name) => world.runs()[name]), `${names} to begin`),
    polls(times) {
      const count = () => cluster.calls.filter(({ program }) => program === 'squeue').length;
      const enough = count() + times;
      return until(() => count() >= enough, `${times} questions`);
    },
    leap(ms) {
      leapt += ms;
    },
    ended: (task) => until(() => task.child === null && task.state !== 'PENDING', 'a task to end'),
    until,
    left: () => cluster.tasks.filter((task) => isOurs(task) && (isAlive(task.state) || task.child !== null)),
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
      await cluster.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return world;
}

/** Asks a backend for a job as a runner does. */
export function ask(backend: Backend, spec: JobSpec, signal = new AbortController().signal): Promise<Ran> {
  return backend.run({ spec, identity: identify(spec), signal, tell() {} });
}

export function isOurs({ submission, strange }: FakeTask): boolean {
  return !strange && submission.name.startsWith('evolve-test-');
}

/** Waits until `holds` does; fails after a while. */
export async function until(holds: () => boolean, what: string, seconds = 60): Promise<void> {
  for (const end = performance.now() + 1000 * seconds; !holds(); await delay(5)) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
  }
}

const MAIN = `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
const [place, name] = process.argv.slice(2);
appendFileSync(place + '/witness', name + '\\n');
while (existsSync(place + '/hold-' + name)) await new Promise((resolve) => setTimeout(resolve, 10));
writeFileSync('out.txt', name + ' is done');
console.log('said by ' + name);
`;
