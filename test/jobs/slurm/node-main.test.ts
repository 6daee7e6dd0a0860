import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identify } from '../../../src/jobs/identify.ts';
import type { JobSpec } from '../../../src/jobs/job.ts';
import { which } from '../../../src/jobs/sandbox/which.ts';
import {
  claim,
  folderOf,
  makeShared,
  names,
  readResult,
  writeOrder,
} from '../../../src/jobs/slurm/job-folder.ts';
import { nodeCommand, writeStarter } from '../../../src/jobs/slurm/node-command.ts';
import { folder, job, until } from '../fixture.ts';

/** A shared folder with one array of these jobs, and what starts its tasks as Slurm does. */
async function array(...specs: JobSpec[]) {
  const shared = join(folder(), 'slurm');
  await makeShared(shared);
  const jobs = specs.map((spec, i) => `${identify(spec)}.${i + 1}`);
  for (const [i, spec] of specs.entries()) await writeOrder(shared, jobs[i]!, spec, []);
  writeFileSync(join(shared, 'batches', 'b1.json'), JSON.stringify(jobs));
  const script = await writeStarter(shared);
  const start = (index: number, env: Record<string, string> = {}, id = '12') => {
    const child = spawn('/bin/sh', [script, ...nodeCommand('job', shared, 'b1')], {
      stdio: 'ignore',
      env: {
        ...{ PATH: process.env.PATH, SLURMD_NODENAME: 'n1', OPENAI_API_KEY: 'canary-3141592' },
        ...{ SLURM_ARRAY_JOB_ID: id, SLURM_ARRAY_TASK_ID: String(index), SLURM_JOB_ID: '99', ...env },
      },
    });
    return { child, ended: new Promise<number | null>((done) => child.once('exit', done)) };
  };
  const outcome = (index: number) => readResult(shared, jobs[index]!)?.result.outcome;
  return { shared, start, outcome, jobs };
}

test('a task runs its own job of the array, as it was asked for, and leaves the result', async () => {
  const write = (text: string) =>
    `import { writeFileSync } from 'node:fs'; writeFileSync('submission.csv', '${text}');`;
  const { shared, start, jobs } = await array(job(write('first')), job(write('second')));
  expect(await start(1).ended).toBe(0);
  expect(readResult(shared, jobs[0]!)).toBeNull();
  expect(readResult(shared, jobs[1]!)).toMatchObject({
    task: { job: '12_1', node: 'n1', restart: 0 },
    result: {
      outcome: { kind: 'done', outputs: ['submission.csv'] },
      files: [{ path: 'submission.csv', text: 'second' }],
    },
  });
  expect(names(join(shared, 'ended'))).toEqual([jobs[1]!]);
});

test('no key of a login is seen by the program, nor by the job', async () => {
  const wait = 'setInterval(() => {}, 1000);';
  const { start, shared, jobs } = await array(job(`console.log(process.env);`), job(wait));
  await start(0).ended;
  const { log } = readResult(shared, jobs[0]!)?.result.outcome ?? { log: '' };
  expect(log).toContain('CUDA_VISIBLE_DEVICES');
  expect(log).not.toContain('canary');
  const { child, ended } = start(1);
  await until(() => existsSync(join(folderOf(shared, jobs[1]!), 'output.log')), 'its log');
  const environ = readFileSync(`/proc/${child.pid}/environ`, 'utf8');
  expect(environ).toContain('SLURM_ARRAY_TASK_ID=1');
  expect(environ).not.toContain('canary');
  child.kill('SIGTERM');
  await ended;
});

test('a job gets the GPUs that Slurm gave it, by the best name that is known, and none without', async () => {
  const show = 'console.log(process.env.CUDA_VISIBLE_DEVICES);';
  const { start, outcome } = await array(...[2, 2, 2, 0].map((gpus) => job(show, { gpus })));
  const smi = (script: string) => {
    const dir = folder({ 'nvidia-smi': `#!/bin/sh\n${script}\n` });
    chmodSync(join(dir, 'nvidia-smi'), 0o755);
    return { PATH: `${dir}:${process.env.PATH}` };
  };
  const listing = [0, 1, 2, 3].map((i) => `GPU ${i}: Pretended (UUID: GPU-${i}${i}${i})`).join('\n');
  const CUDA_VISIBLE_DEVICES = '2,3';
  await start(0, { ...smi('exit 1'), CUDA_VISIBLE_DEVICES }).ended;
  await start(1, { ...smi(`echo '${listing}'`), CUDA_VISIBLE_DEVICES }).ended;
  await start(2, smi('exit 1')).ended;
  await start(3, { ...smi('exit 1'), CUDA_VISIBLE_DEVICES }).ended;
  expect(outcome(0)).toMatchObject({ kind: 'done', log: '2,3\n' });
  expect(outcome(1)).toMatchObject({ kind: 'done', log: 'GPU-222,GPU-333\n' });
  expect(outcome(2)).toMatchObject({ kind: 'lost', reason: expect.stringContaining('Slurm gave no GPU') });
  expect(outcome(3)).toMatchObject({ kind: 'done', log: '\n' });
});

test('a task leaves quietly where another has the job, or nobody wants it', async () => {
  const witness = 'console.log("ran");';
  const { shared, start, outcome, jobs } = await array(job(witness), job(witness), job(witness));
  claim(shared, jobs[0]!, { job: '11_0', node: 'n2', restart: 0 });
  rmSync(folderOf(shared, jobs[1]!), { recursive: true });
  expect(await start(0).ended).toBe(0);
  expect(await start(1).ended).toBe(0);
  expect([outcome(0), outcome(1)]).toEqual([undefined, undefined]);
  // Submitted twice and begun at once: one of them runs it.
  const pids = await Promise.all([start(2, {}, '12').ended, start(2, {}, '13').ended]);
  expect(pids).toEqual([0, 0]);
  expect(outcome(2)).toMatchObject({ kind: 'done', log: 'ran\n' });
  expect(names(folderOf(shared, jobs[2]!)).filter((name) => name.startsWith('claim'))).toEqual(['claim']);
});

test('one that Slurm ends leaves no result, and nothing that runs', async () => {
  const mark = `mark-${process.pid}-${Date.now()}`;
  const { shared, start, jobs } = await array(
    job('setInterval(() => {}, 1000);', { command: ['node', 'main.mjs', mark] }),
  );
  const { child, ended } = start(0);
  const running = () => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(mark);
  await until(running, 'the job to start');
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
  await until(() => !running(), 'the job to end');
  expect(readResult(shared, jobs[0]!)).toBeNull();
});

test('what a long job prints can be read while it runs', async () => {
  const { shared, start, jobs } = await array(job('setInterval(() => console.log("tick"), 100);'));
  const { child, ended } = start(0);
  const log = join(folderOf(shared, jobs[0]!), 'output.log');
  await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('tick\ntick\n'), 'its words');
  child.kill('SIGTERM');
  await ended;
});

test('a job outlives that what it prints cannot be written', async () => {
  // It takes more than the two seconds after which what it prints is told.
  const spec = job(`import { existsSync } from 'node:fs';
    for (let i = 0; i < 25 || !existsSync('data/go'); i++) {
      console.log(i);
      await new Promise((done) => setTimeout(done, 100));
    }
    console.log('last');`);
  const { shared, start, outcome, jobs } = await array(spec);
  const log = join(folderOf(shared, jobs[0]!), 'output.log');
  const { ended } = start(0);
  await until(() => existsSync(log), 'its log');
  rmSync(log);
  mkdirSync(log);
  writeFileSync(join(spec.data.dir, 'go'), '');
  expect(await ended).toBe(0);
  expect(outcome(0)).toMatchObject({ kind: 'done', log: expect.stringMatching(/^last$/m) });
});

test('a node without a sandbox runs nothing that needs one', async () => {
  const spec = job('console.log("ran");');
  const { shared, start, outcome, jobs } = await array(spec, spec);
  await writeOrder(shared, jobs[0]!, spec, [], true);
  // There is no bubblewrap on this PATH.
  const PATH = folder();
  symlinkSync('/usr/bin/env', join(PATH, 'env'));
  await start(0, { PATH }).ended;
  await start(1, { PATH }).ended;
  expect(outcome(0)).toMatchObject({ kind: 'lost', reason: expect.stringMatching(/^n1 has no sandbox: /) });
  expect(outcome(1)).toMatchObject({ kind: 'done', sandbox: 'none' });
});

test.skipIf(which('bwrap') === null)(
  'a node tries its sandbox out once, and anew when it has failed (skipped without bubblewrap)',
  async () => {
    const spec = job('console.log("ran");');
    const { shared, start, outcome } = await array(spec, spec, spec);
    await start(0).ended;
    const [name] = names(join(shared, 'nodes'));
    const place = join(shared, 'nodes', name as string);
    const found = JSON.parse(readFileSync(place, 'utf8'));
    // It is taken from there.
    found.sandbox.bwrap = join(folder({ bwrap: '#!/bin/sh\necho "bwrap: broken" >&2; exit 1\n' }), 'bwrap');
    chmodSync(found.sandbox.bwrap, 0o755);
    writeFileSync(place, JSON.stringify(found));
    await start(1).ended;
    await start(2).ended;
    expect([outcome(0)?.kind, outcome(1)?.kind, outcome(2)?.kind]).toEqual(['done', 'lost', 'done']);
  },
);
