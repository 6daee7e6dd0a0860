import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { createSlots } from '../../../src/jobs/slots/slots.ts';
import { folder, gpus, job, mark, processesWith, runner, until } from '../fixture.ts';

const { level, why, memoryLimit } = await detectSandbox();
const levels = level === 'none' ? (['none'] as const) : (['auto', 'none'] as const);
if (level === 'none') console.warn(`not tested inside bubblewrap: ${why}`);

const train = `import { readFileSync, writeFileSync } from 'node:fs';
writeFileSync('submission.csv', readFileSync('data/train.csv'));
console.log('trained');`;

test('a job that ignores the word that its CPU time is over takes too long all the same, and runs once', async () => {
  const { run, records } = runner({ sandbox: 'none' });
  const main = "process.on('SIGXCPU', () => {}); for (;;);";
  const limits = { seconds: 1, memoryMb: 256, outputBytes: 100 };
  const out = await run(job(main, { limits }));
  expect(out).toMatchObject({ kind: 'timeout', log: '\n[stopped: too much CPU time]\n' });
  expect(records).toMatchObject([{ runMs: out.ms }]);
}, 60_000);

describe.each(levels)('a job, sandbox %s', (sandbox) => {
  test('reads its files and data, and gives its outputs and its log', async () => {
    const { run } = runner({ sandbox });
    const spec = job("import { name } from './lib/name.mjs'; import './train.mjs'; console.error(name);");
    mkdirSync(join(spec.folder, 'lib'));
    writeFileSync(join(spec.folder, 'lib/name.mjs'), "export const name = 'after';");
    writeFileSync(join(spec.folder, 'train.mjs'), train);
    expect(await run(spec)).toMatchObject({
      kind: 'done',
      outputs: ['submission.csv'],
      log: 'after\ntrained\n',
      sandbox: sandbox === 'auto' ? 'bubblewrap' : 'none',
    });
    expect(readFileSync(join(spec.folder, 'submission.csv'), 'utf8')).toBe('id,x\n1,2\n');
  });

  test('leaves nothing but its outputs, and those of an earlier one are gone', async () => {
    const { run } = runner({ sandbox });
    const main =
      "import { writeFileSync } from 'node:fs'; writeFileSync('side.txt', ''); writeFileSync('main.mjs', '');";
    const spec = job(main);
    writeFileSync(join(spec.folder, 'submission.csv'), 'old');
    expect(await run(spec)).toMatchObject({ kind: 'done', outputs: [] });
    expect(readdirSync(spec.folder)).toEqual(['main.mjs']);
    expect(readFileSync(join(spec.folder, 'main.mjs'), 'utf8')).toBe(main);
  });

  test('sees nothing of the environment but what it needs', async () => {
    process.env.EVOLVE_TEST_API_KEY = 'canary';
    const { run } = runner({ sandbox });
    const out = await run(job('console.log(Object.keys(process.env).sort().join())'));
    delete process.env.EVOLVE_TEST_API_KEY;
    expect(
      out.log
        .trim()
        .split(',')
        .filter((name) => !['PWD', 'OLDPWD', '_', 'SHLVL'].includes(name)),
    ).toEqual([
      'CUDA_DEVICE_ORDER',
      'CUDA_VISIBLE_DEVICES',
      'HOME',
      'LANG',
      'MKL_NUM_THREADS',
      'NUMEXPR_NUM_THREADS',
      'OMP_NUM_THREADS',
      'OPENBLAS_NUM_THREADS',
      'PATH',
      'TZ',
      'VECLIB_MAXIMUM_THREADS',
    ]);
  });

  test('runs the same Node, and its log shows no path of this machine', async () => {
    const { run } = runner({ sandbox });
    const spec = job(`console.log(process.version, process.execPath, process.cwd(), import.meta.url);
      process.emitWarning('careful');\n      setImmediate(() => null.x);`);
    const out = await run(spec);
    expect(out).toMatchObject({ kind: 'failed', exitCode: 1 });
    expect(out.log).toContain(`${process.version} /opt/node/bin/node /work file:///work/main.mjs`);
    expect(out.log).toContain('file:///work/main.mjs:3');
    expect(out.log).toContain('(node) Warning: careful');
    expect(out.log).not.toContain(spec.folder);
    expect(out.log).not.toContain('tmp');
  });

  test('that fails, cannot be found or takes too long says so', async () => {
    const { run } = runner({ sandbox });
    expect(await run(job('process.exit(7)'))).toMatchObject({ kind: 'failed', exitCode: 7 });
    expect(await run(job('', { command: ['no-such-thing', 'x'] }))).toMatchObject({
      kind: 'failed',
      exitCode: 127,
      log: 'no-such-thing: command not found\n',
    });
    const limits = { seconds: 1, memoryMb: 256, outputBytes: 100 };
    expect(await run(job('for (;;);', { limits }))).toMatchObject({
      kind: 'timeout',
      log: '\n[stopped: too much CPU time]\n',
    });
    expect(await run(job('console.log("bwrap: cannot"); process.exit(1)'))).toMatchObject({ kind: 'failed' });
  });

  test.skipIf(!memoryLimit)('that wants too much memory is told so, the same each time', async () => {
    const { run } = runner({ sandbox });
    const heap = 'const all = []; for (;;) all.push(new Array(1000).fill(all.length));';
    const limits = { seconds: 60, memoryMb: 32, outputBytes: 4096 };
    const outs = [await run(job(heap, { limits })), await run(job(heap, { limits }))];
    expect(outs[0]).toMatchObject({
      kind: 'out-of-memory',
      log: '\nFATAL ERROR: out of memory\n',
    });
    expect(outs[1]?.log).toBe(outs[0]?.log);
    const buffers = 'const all = []; for (;;) all.push(new Float64Array(1e6).fill(1));';
    expect((await run(job(buffers, { limits }))).kind).toBe('out-of-memory');
    // A grandchild does not escape it.
    const nested = `import { execFileSync } from 'node:child_process';
      execFileSync('node', ['-e', ${JSON.stringify(buffers)}], { stdio: 'inherit' });`;
    expect((await run(job(nested, { limits }))).kind).not.toBe('done');
  });

  test('keeps the end of a long log, within its bound', async () => {
    const { run } = runner({ sandbox });
    const out = await run(job("for (let i = 0; i < 1e5; i++) console.log('line', i);"));
    expect(out.kind).toBe('done');
    expect(out.log.length).toBeLessThanOrEqual(4096);
    expect(out.log.endsWith('line 99999\n')).toBe(true);
  });

  test('cannot pass a link off as its output', async () => {
    const secret = folder({ 'answers.csv': 'secret' });
    const { run } = runner({ sandbox });
    const spec = job(
      `import { mkdirSync, symlinkSync } from 'node:fs';
      symlinkSync('${secret}/answers.csv', 'submission.csv'); symlinkSync('${secret}', 'deep');`,
      {
        outputs: ['submission.csv', 'deep/answers.csv'],
      },
    );
    expect(await run(spec)).toMatchObject({ kind: 'done', outputs: [] });
    expect(readdirSync(spec.folder)).toEqual(['main.mjs']);
  });

  test.skipIf(process.platform !== 'linux')('that is aborted is cancelled, and gone', async () => {
    const name = mark();
    const { run, jobs } = runner({ sandbox });
    const control = new AbortController();
    const spec = job('for (;;);', { command: ['node', 'main.mjs', name] });
    const running = run(spec, control.signal);
    await until(() => processesWith(name).length > 0, 'the job to start');
    control.abort();
    expect(await running).toMatchObject({ kind: 'cancelled' });
    await until(() => processesWith(name).length === 0, 'the job to end');
    expect(jobs.stats()).toMatchObject({ busy: 0 });
  });

  test.skipIf(process.platform !== 'linux')('does not outlive the runner', async () => {
    const name = mark();
    const { run, jobs } = runner({ sandbox });
    const running = run(job('for (;;);', { command: ['node', 'main.mjs', name] }));
    await until(() => processesWith(name).length > 0, 'the job to start');
    await jobs.close();
    expect(processesWith(name)).toEqual([]);
    expect((await running).kind).toBe('cancelled');
    expect((await run(job(train))).kind).toBe('lost');
  });
});

describe.skipIf(level === 'none')('inside bubblewrap', () => {
  const attempt = (code: string) => `import fs from 'node:fs';
    const tries = ${code};
    for (const [name, act] of Object.entries(tries)) {
      try { await act(); console.log(name, 'YES'); } catch (error) { console.log(name, 'no'); }
    }`;

  test('nothing can be written but the work folder', async () => {
    const { run } = runner();
    const out = await run(
      job(
        attempt(`{
      data: () => fs.writeFileSync('data/train.csv', ''),
      root: () => fs.writeFileSync('/x', ''),
      usr: () => fs.writeFileSync('/usr/x', ''),
      node: () => fs.writeFileSync('/opt/node/bin/node', ''),
      proc: () => fs.accessSync('/proc/sys/kernel/core_pattern', fs.constants.W_OK),
      dev: () => fs.writeFileSync('/dev/x', ''),
      work: () => fs.writeFileSync('x', ''),
    }`),
      ),
    );
    expect(out.log).toBe('data no\nroot no\nusr no\nnode no\nproc no\ndev no\nwork YES\n');
  });

  test('no answers, no home, no other process, no network, no privileges', async () => {
    const suite = folder({ 'prepared/private/answers.csv': 'secret', 'prepared/public/train.csv': 'x' });
    const { run } = runner();
    const out = await run({
      ...job(
        attempt(`{
      answers: () => fs.readFileSync('${suite}/prepared/private/answers.csv'),
      beside: () => fs.readFileSync('data/../private/answers.csv'),
      engine: () => fs.readdirSync('${process.cwd()}'),
      home: () => fs.readdirSync('${process.env.HOME ?? '/root'}'),
      passwd: () => fs.readFileSync('/etc/passwd'),
      others: () => process.kill(${process.pid}, 0),
      network: async () => (await import('node:dns/promises')).lookup('example.com'),
      loopback: () => fetch('http://127.0.0.1:1').catch((e) => { if (e.cause.code !== 'ECONNREFUSED') throw e; throw e; }),
      privileges: () => { if (!/CapEff:\\s*0+\\n/.test(fs.readFileSync('/proc/self/status', 'utf8'))) return; throw 0; },
      data: () => fs.readFileSync('data/train.csv'),
    }`),
      ),
      data: { dir: join(suite, 'prepared/public'), hash: 'x' },
    });
    expect(out.log).toBe(
      'answers no\nbeside no\nengine no\nhome no\npasswd no\nothers no\nnetwork no\nloopback no\nprivileges no\ndata YES\n',
    );
  });

  test('a server of this machine cannot be reached, but where the task allows the network', async () => {
    const { createServer } = await import('node:http');
    const server = createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const main = `console.log(await fetch('http://127.0.0.1:${port}').then((r) => r.text(), () => 'unreachable'))`;
    const inside = await runner().run(job(main));
    const outside = await runner({ sandbox: 'none' }).run(job(main));
    const allowed = await runner().run(job(main, { network: true }));
    server.close();
    expect([inside.log, outside.log, allowed.log]).toEqual(['unreachable\n', 'hello\n', 'hello\n']);
  });

  test('a sandbox that cannot be set up is lost, not failed', async () => {
    const { run } = runner({ hidden: ['/usr/no-such-folder'] });
    expect(await run(job(train))).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('the sandbox could not be set up'),
    });
  });

  test('what is to be hidden under a system folder is hidden', async () => {
    const main = "import { readdirSync } from 'node:fs'; console.log(readdirSync('/usr/share').length)";
    expect((await runner().run(job(main))).log).not.toBe('0\n');
    expect((await runner({ hidden: ['/usr/share'] }).run(job(main))).log).toBe('0\n');
  });
});

describe('the cache', () => {
  test('gives equal jobs the same, in their own folders, without running them', async () => {
    const cacheDir = folder();
    const first = await runner({ cacheDir }).run(job(train));
    const { run, records, jobs } = runner({ cacheDir });
    const spec = job(train);
    writeFileSync(join(spec.folder, 'submission.csv'), 'old');
    expect(await run(spec)).toEqual(first);
    expect(readFileSync(join(spec.folder, 'submission.csv'), 'utf8')).toBe('id,x\n1,2\n');
    expect(records).toMatchObject([{ hit: true, kind: 'done', runMs: 0, slot: null }]);
    expect(jobs.stats()).toMatchObject({ run: 0, hits: 1 });
  });

  test('keeps failures, but not what was lost', async () => {
    const { run, jobs } = runner({ cacheDir: folder() });
    for (let i = 0; i < 2; i++) await run(job('process.exit(1)'));
    expect(jobs.stats()).toMatchObject({ run: 1, hits: 1 });
    const missing = { data: { dir: '/no/such/data', hash: 'x' }, retries: 0 };
    for (let i = 0; i < 2; i++) await run(job(train, missing));
    expect(jobs.stats()).toMatchObject({ run: 3, hits: 1 });
  });

  test('keeps outputs that are no text', async () => {
    const cacheDir = folder();
    const main =
      "import { writeFileSync } from 'node:fs'; writeFileSync('submission.csv', Buffer.from([0, 255, 128]));";
    for (let i = 0; i < 2; i++) {
      const spec = job(main);
      await runner({ cacheDir }).run(spec);
      expect([...readFileSync(join(spec.folder, 'submission.csv'))]).toEqual([0, 255, 128]);
    }
  });

  test('keeps a large output as well', async () => {
    const cacheDir = folder();
    const main =
      "import { writeFileSync } from 'node:fs'; writeFileSync('big/out.bin', Buffer.alloc(3e6, 1));";
    const big = () => {
      const spec = job(
        `import { mkdirSync } from 'node:fs'; mkdirSync('big');${main.replace('import', ';import')}`,
      );
      return { ...spec, outputs: ['big/out.bin'] };
    };
    for (const cache of [cacheDir, cacheDir, null]) {
      const spec = big();
      expect(await runner({ cacheDir: cache }).run(spec)).toMatchObject({
        kind: 'done',
        outputs: ['big/out.bin'],
      });
      expect(lstatSync(join(spec.folder, 'big/out.bin')).size).toBe(3e6);
    }
  });

  test.each([
    ['torn', (text: string) => text.slice(0, -20)],
    ['empty', () => ''],
    ['of another content', (text: string) => text.replace('1,2', '1,3')],
    ['of another version', () => '{"version":2}'],
  ])('an entry that is %s counts as absent, and is mended', async (_, spoil) => {
    const cacheDir = folder();
    await runner({ cacheDir }).run(job(train));
    const [path] = readdirSync(cacheDir, { recursive: true }).filter((name) =>
      String(name).endsWith('.json'),
    );
    const entry = join(cacheDir, String(path));
    writeFileSync(entry, spoil(readFileSync(entry, 'utf8')));
    const { run, jobs } = runner({ cacheDir });
    const specs = [job(train), job(train)];
    for (const spec of specs) {
      expect((await run(spec)).kind).toBe('done');
      expect(readFileSync(join(spec.folder, 'submission.csv'), 'utf8')).toBe('id,x\n1,2\n');
    }
    expect(jobs.stats()).toMatchObject({ run: 1, hits: 1 });
  });

  test('a place that cannot be used is done without', async () => {
    const cacheDir = join(folder({ file: '' }), 'file');
    const { run, jobs } = runner({ cacheDir });
    for (let i = 0; i < 2; i++) expect((await run(job(train))).kind).toBe('done');
    expect(jobs.stats()).toMatchObject({ run: 2, hits: 0 });
  });

  test('data that are not there are lost', async () => {
    const { run } = runner();
    for (const dir of ['/no/such/data', join(folder({ file: '' }), 'file')]) {
      expect((await run(job(train, { data: { dir, hash: 'x' }, retries: 0 }))).kind).toBe('lost');
    }
  });

  test('an output path that leaves the folder is refused', async () => {
    const { run } = runner();
    for (const path of ['../x', '/etc/x', 'a/../../x', '']) {
      expect(await run(job(train, { outputs: [path] }))).toMatchObject({ kind: 'lost' });
    }
  });
});

test('a job with GPUs sees those that were lent to it, and no other job does', async () => {
  const slots = createSlots({ cpus: 2, gpus: gpus('GPU-a', 'GPU-b') });
  const { run, records } = runner({ slots });
  const main = 'console.log(process.env.CUDA_VISIBLE_DEVICES);';
  const outs = await Promise.all([run(job(main, { gpus: 2 })), run(job(main))]);
  expect(outs.map((out) => out.log)).toEqual(['GPU-a,GPU-b\n', '\n']);
  expect(records.map((record) => record.slot).sort()).toEqual(['GPU-a,GPU-b', 'cpu-0']);
  expect(await run(job(main, { gpus: 3 }))).toMatchObject({
    kind: 'lost',
    reason: 'asks for 3 GPUs, 2 here',
  });
});

describe('one flight per identity', () => {
  test('who asks second waits for the first, and gets the files too', async () => {
    const { run, jobs, records } = runner();
    const specs = [job(train), job(train), job(train)];
    const outs = await Promise.all(specs.map((spec) => run(spec)));
    expect(outs[1]).toEqual(outs[0]);
    for (const spec of specs) expect(existsSync(join(spec.folder, 'submission.csv'))).toBe(true);
    expect(jobs.stats()).toMatchObject({ run: 1, hits: 2 });
    expect(records.map((record) => record.hit).sort()).toEqual([false, true, true]);
  });

  test('who gives up takes nothing from the others', async () => {
    const { run, jobs } = runner();
    const control = new AbortController();
    const specs = [job(train), job(train)] as const;
    const given = run(specs[0], control.signal);
    const patient = run(specs[1]);
    control.abort();
    expect((await given).kind).toBe('cancelled');
    expect((await patient).kind).toBe('done');
    expect(existsSync(join(specs[0].folder, 'submission.csv'))).toBe(false);
    expect(jobs.stats()).toMatchObject({ run: 1 });
    // The identity can be asked for again at once after everybody has left it.
    const again = new AbortController();
    const left = run(job(train), again.signal);
    again.abort();
    expect((await run(job(train))).kind).toBe('done');
    expect((await left).kind).toBe('cancelled');
  });
});

test('a folder that goes while its job waits gives nothing of half its files, and others get the whole', async () => {
  const { run } = runner({ slots: createSlots({ cpus: 1, gpus: [] }) });
  const count = "import { readdirSync } from 'node:fs'; console.log(readdirSync('.').length);";
  const specs = [job(count, { retries: 0 }), job(count, { retries: 0 })] as const;
  for (const { folder } of specs) writeFileSync(join(folder, 'help.mjs'), '');
  const whole = (await run(specs[1])).log;
  const first = run(job('setTimeout(() => {}, 300);'));
  const control = new AbortController();
  const leaving = run(specs[0], control.signal);
  const staying = run(specs[1]);
  rmSync(join(specs[0].folder, 'help.mjs'));
  control.abort();
  expect((await leaving).kind).toBe('cancelled');
  expect(await staying).toMatchObject({ kind: 'done', log: whole });
  await first;
});

test('data given as a link, and a folder that holds a link named data, do no harm', async () => {
  const { run } = runner();
  const spec = job(train);
  const link = join(folder(), 'public');
  symlinkSync(spec.data.dir, link);
  symlinkSync('/etc', join(spec.folder, 'data'));
  expect((await run({ ...spec, data: { dir: link, hash: 'x' } })).kind).toBe('done');
});
