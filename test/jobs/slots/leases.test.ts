import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { leaseHolder, openLeases } from '../../../src/jobs/slots/leases.ts';
import { createSlots } from '../../../src/jobs/slots/slots.ts';
import { folder, gpus, job, mark, processesWith, runner, until } from '../fixture.ts';

let dir: string;
beforeEach(() => {
  dir = join(folder(), 'leases');
  vi.stubEnv('EVOLVE_GPU_LEASES', dir);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Time passes when the test says so; what is written down does not grow old while this process is held up. */
function pretendTime(...others: 'performance'[]): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', ...others] });
  vi.spyOn(Date, 'now').mockReturnValue(Date.now());
}

const { bwrap } = await detectSandbox();
const built = resolve('dist/jobs');
const settle = () => new Promise((done) => setImmediate(done));
/** Slots as another process would have them over the same GPUs. */
const run = (...uuids: string[]) =>
  createSlots({ cpus: 2, gpus: gpus(...uuids) }, { leases: openLeases([]) });

describe('two runs', () => {
  test('never have one GPU at once, use others meanwhile, and take turns', async () => {
    pretendTime();
    const [first, second] = [run('GPU-a'), run('GPU-a', 'GPU-b')];
    const held = await first.lease({ gpus: 0.5 });
    expect((await second.lease({ gpus: 1 })).slot).toBe('GPU-b');
    let turn = '';
    const theirs = second.lease({ gpus: 1 }).then((lease) => {
      turn += 'second ';
      return lease;
    });
    const ours = first.lease({ gpus: 1 }).then((lease) => {
      turn += 'first ';
      return lease;
    });
    await vi.advanceTimersByTimeAsync(5000);
    expect(turn).toBe('');
    held.release();
    await settle();
    // Who has waited in the other run is next, although there is work here.
    await vi.advanceTimersByTimeAsync(1000);
    const lease = await theirs;
    expect([turn, lease.slot]).toEqual(['second ', 'GPU-a']);
    lease.release();
    await vi.advanceTimersByTimeAsync(2000);
    expect((await ours).slot).toBe('GPU-a');
  });

  test('a GPU that another run waits for stays free for it when the next job asks here', async () => {
    pretendTime();
    const [first, second] = [run('GPU-a'), run('GPU-a')];
    const held = await first.lease({ gpus: 1 });
    let turn = '';
    const theirs = second.lease({ gpus: 1 }).then((lease) => {
      turn += 'second ';
      return lease;
    });
    await settle();
    held.release();
    await settle();
    const ours = first.lease({ gpus: 1 }).then((lease) => {
      turn += 'first ';
      return lease;
    });
    await vi.advanceTimersByTimeAsync(1000);
    expect(turn).toBe('second ');
    (await theirs).release();
    await vi.advanceTimersByTimeAsync(1000);
    (await ours).release();
  });

  test('who has waited for two GPUs for long gets them, one by one', async () => {
    pretendTime('performance');
    const [first, second] = [run('GPU-a', 'GPU-b'), run('GPU-a', 'GPU-b')];
    const held = [await first.lease({ gpus: 1 }), await first.lease({ gpus: 1 })];
    let served = false;
    const both = second.lease({ gpus: 2 }).then((lease) => {
      served = true;
      return lease;
    });
    // One job ends each second, and the next begins.
    for (let second = 0; second < 70 && !served; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      held.shift()?.release();
      void first.lease({ gpus: 1 }).then((lease) => held.push(lease));
      await settle();
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(served).toBe(true);
    (await both).release();
  });

  test('who gives up while another run has it asks no more', async () => {
    pretendTime();
    const [first, second] = [run('GPU-a'), run('GPU-a')];
    const held = await first.lease({ gpus: 1 });
    const control = new AbortController();
    const waiting = second.lease({ gpus: 1 }, control.signal);
    control.abort();
    await expect(waiting).rejects.toThrow('cancelled');
    expect(vi.getTimerCount()).toBe(0);
    held.release();
    expect(leaseHolder('GPU-a')).toBe(null);
  });

  test('hold nothing while they wait for more', async () => {
    const [first, second] = [run('GPU-a', 'GPU-b'), run('GPU-a', 'GPU-b')];
    const held = await first.lease({ gpus: 1 });
    const control = new AbortController();
    const both = second.lease({ gpus: 2 }, control.signal);
    expect((await first.lease({ gpus: 1 })).slot).toBe('GPU-b');
    control.abort();
    await expect(both).rejects.toThrow('cancelled');
    held.release();
  });

  test('have their jobs on one GPU one after the other', async () => {
    const witness = join(folder(), 'witness');
    const bin = folder({ 'nvidia-smi': '#!/bin/sh\necho "GPU 0: Pretend (UUID: GPU-a)"\n' });
    chmodSync(join(bin, 'nvidia-smi'), 0o755);
    const work = `import { appendFileSync } from 'node:fs';
      appendFileSync('${witness}', 'begin ' + process.argv[2] + '\\n');
      setTimeout(() => appendFileSync('${witness}', 'end ' + process.argv[2] + '\\n'), 100);`;
    const specs = [1, 2, 3, 4].map((n) => job(work, { gpus: 1, command: ['node', 'main.mjs', `job-${n}`] }));
    const main = `import { localRunner } from '${built}/local/local.js';
      import { identify } from '${built}/identify.js';
      const runner = localRunner({ cacheDir: null, sandbox: 'none' });
      const specs = JSON.parse(process.argv[2]);
      const ends = await Promise.all(specs.map((spec) => runner.run(spec, identify(spec))));
      await runner.close();
      process.stdout.write(ends.map(({ kind }) => kind).join());`;
    const file = join(folder({ 'run.mjs': main }), 'run.mjs');
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const runs = [specs.slice(0, 2), specs.slice(2)].map((some) =>
      promisify(execFile)(process.execPath, [file, JSON.stringify(some)], { env }),
    );
    for (const { stdout } of await Promise.all(runs)) expect(stdout).toBe('done,done');
    const lines = readFileSync(witness, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(8);
    for (let i = 0; i < 8; i += 2)
      expect([lines[i], lines[i + 1]]).toEqual([`begin ${lines[i]?.slice(6)}`, `end ${lines[i]?.slice(6)}`]);
    expect(readdirSync(dir).filter((name) => !name.endsWith('.wanted'))).toEqual([]);
  });
});

test('a GPU of a run that was killed is taken once nothing works for that run', async () => {
  const scratch = folder();
  const name = mark();
  const stands = join(folder(), name);
  // A run, the process that it starts for its jobs, and a job that both leave behind.
  const executor = `import { spawn } from 'node:child_process';
    import { openScratch } from '${built}/process/scratch.js';
    const cwd = openScratch(['${scratch}']).make() + '/';
    const job = 'setInterval(() => {}, 1000); require("fs").writeFileSync(process.argv[1], "")';
    spawn(process.execPath, ['-e', job, '${stands}'], { cwd, detached: true, stdio: 'ignore' });
    setInterval(() => {}, 1000);`;
  const main = `import { fork } from 'node:child_process';
    import { openLeases } from '${built}/slots/leases.js';
    openLeases(['${scratch}']).take('GPU-a', 0);
    fork(process.argv[2], ['${name}'], { detached: true, stdio: 'ignore' });
    setInterval(() => {}, 1000);`;
  const files = folder({ 'executor.mjs': executor, 'main.mjs': main });
  const killed = fork(join(files, 'main.mjs'), [join(files, 'executor.mjs')]);
  // Not only begun: a process that is just being made has no folder of its own yet.
  await until(() => existsSync(stands), 'the job to start');
  const leases = openLeases([]);
  expect([leases.take('GPU-a', 0), leaseHolder('GPU-a')]).toEqual([false, killed.pid]);
  expect(processesWith(name)).toHaveLength(2);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(leaseHolder('GPU-a')).toBe(null);
  await until(() => leases.take('GPU-a', 0), 'the GPU to be free');
  expect(processesWith(name)).toEqual([]);
  leases.give('GPU-a');
});

test.skipIf(bwrap === null)(
  'a GPU of a run that was killed is free, also where the machine had another name then (needs bubblewrap)',
  async () => {
    const main = `import { openLeases } from '${built}/slots/leases.js';
      openLeases([]).take('GPU-a', 0);
      setInterval(() => {}, 1000);`;
    const file = join(folder({ 'main.mjs': main }), 'main.mjs');
    const renamed = ['--dev-bind', '/', '/', '--unshare-uts', '--hostname', 'another-name', '--'];
    spawn(bwrap as string, [...renamed, process.execPath, file], { stdio: 'ignore' });
    await until(() => leaseHolder('GPU-a') !== null, 'it to be taken');
    process.kill(leaseHolder('GPU-a') as number, 'SIGKILL');
    await until(() => leaseHolder('GPU-a') === null, 'its owner to be gone');
    expect(openLeases([]).take('GPU-a', 0)).toBe(true);
  },
);

test('jobs without GPUs leave no trace of leases', async () => {
  const slots = run('GPU-a');
  const { run: ask } = runner({ slots });
  expect((await ask(job(''))).kind).toBe('done');
  expect(existsSync(dir)).toBe(false);
});

test('where leases cannot be written down, a job is lost and says why', async () => {
  vi.stubEnv('EVOLVE_GPU_LEASES', join(folder({ file: '' }), 'file'));
  const { run: ask } = runner({ slots: run('GPU-a') });
  expect(await ask(job('', { gpus: 1 }))).toMatchObject({
    kind: 'lost',
    reason: expect.stringMatching(/file/),
  });
});

test('names of older MIG instances, and what a killed process had begun to write', async () => {
  mkdirSync(dir);
  const leases = openLeases([]);
  expect(leases.take('MIG-GPU-a/7/0', 0)).toBe(true);
  expect(openLeases([]).take('MIG-GPU-a/7/0', 0)).toBe(false);
  leases.give('MIG-GPU-a/7/0');
  expect(readdirSync(dir)).toEqual(['MIG-GPU-a_7_0.wanted']);
});

test.skipIf(process.platform !== 'linux')(
  'a thousand leases by processes that are killed at random: never two owners, none leaked',
  async () => {
    const storm = spawn(process.execPath, [resolve('benchmarks/engine/lease-storm.mjs'), '1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    storm.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await once(storm, 'close');
    const { leases, kills, ...faults } = JSON.parse(text);
    expect(faults).toEqual({ twice: 0, leaked: [] });
    expect(leases).toBeGreaterThanOrEqual(1000);
    expect(kills).toBeGreaterThan(0);
  },
);
