import { execFileSync } from 'node:child_process';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { identify } from '../../../src/jobs/identify.ts';
import type { JobSpec } from '../../../src/jobs/job.ts';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { folder, job, runner } from '../fixture.ts';

// It looks once a process, so each test takes it anew.
const python = () => import('../../../src/jobs/sandbox/python.ts');
beforeEach(() => vi.resetModules());
const before = process.env.EVOLVE_PYTHON;
afterEach(() => {
  if (before === undefined) delete process.env.EVOLVE_PYTHON;
  else process.env.EVOLVE_PYTHON = before;
});

const { python: here } = await (await python()).findPython();
if (here === null) console.warn('not tested: jobs on Python, there is no python3');
const { level } = await detectSandbox();
const levels = level === 'none' ? (['none'] as const) : (['auto', 'none'] as const);

function program(text: string, change: Partial<JobSpec> = {}): JobSpec {
  const spec = job('', { command: ['python', 'main.py'], runtime: 'python', ...change });
  writeFileSync(join(spec.folder, 'main.py'), text);
  return spec;
}

describe('what cannot be used as Python', () => {
  test.each([
    ['is not there', '/no/such/python', 'no /no/such/python was found'],
    ['is something else', '/bin/true', '/bin/true does not answer as Python does'],
    ['fails', '/bin/false', '/bin/false does not run'],
  ])('%s', async (_, path, why) => {
    process.env.EVOLVE_PYTHON = path;
    const found = await (await python()).findPython();
    expect(found).toMatchObject({ python: null, why: expect.stringContaining(why) });
  });

  test('would need all of the home', async () => {
    const wide = join(folder(), 'python');
    const answer = JSON.stringify(['/bin/sh', '3.11.0', [homedir()]]);
    writeFileSync(wide, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    process.env.EVOLVE_PYTHON = wide;
    expect(await (await python()).findPython()).toMatchObject({
      python: null,
      why: expect.stringContaining(`reads all of ${homedir()}`),
    });
  });

  test('would need all that programs keep in the home', async () => {
    const wide = join(folder(), 'python');
    const answer = JSON.stringify(['/bin/sh', '3.11.0', [join(homedir(), '.local')]]);
    writeFileSync(wide, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
    process.env.EVOLVE_PYTHON = wide;
    expect(await (await python()).findPython()).toMatchObject({ python: null });
  });

  test('is a clear reason of a job that needs it', async () => {
    process.env.EVOLVE_PYTHON = '/no/such/python';
    const out = await runner().run(program('', { retries: 0 }));
    expect(out).toMatchObject({ kind: 'lost', reason: 'no /no/such/python was found' });
  });
});

describe.skipIf(here === null).each(levels)('a job on Python, sandbox %s', (sandbox) => {
  test('runs, with output as it comes and no caches beside the program', async () => {
    const { run } = runner({ sandbox });
    const spec = program(
      `import os, sys, helper
print(sys.version.split()[0], os.environ['PYTHONHASHSEED'], os.getcwd())
print(sorted(os.listdir('.')))
open('submission.csv', 'w').write(open('data/train.csv').read())`,
    );
    writeFileSync(join(spec.folder, 'helper.py'), '');
    const out = await run(spec);
    expect(out).toMatchObject({ kind: 'done', outputs: ['submission.csv'] });
    expect(out.log).toContain(`${here?.version} 0 /work\n`);
    expect(out.log).not.toContain('__pycache__');
  });

  test('finds the packages of its own environment, and shows no path of it', async () => {
    const place = folder({ 'secret.txt': 'secret' });
    const made = join(place, 'venv');
    execFileSync(here?.path ?? '', ['-m', 'venv', '--without-pip', '--symlinks', made]);
    const site = execFileSync(
      join(made, 'bin/python3'),
      ['-c', "import sysconfig; print(sysconfig.get_path('purelib'))"],
      { encoding: 'utf8' },
    ).trim();
    writeFileSync(join(site, 'thing.py'), "__version__ = '1.5'\ndef act(): raise ValueError('in thing')\n");
    process.env.EVOLVE_PYTHON = join(made, 'bin/python3');
    const { run } = runner({ sandbox });
    const out = await run(program('import thing; print(thing.__version__); thing.act()'));
    expect(out).toMatchObject({ kind: 'failed', exitCode: 1 });
    expect(out.log).toContain('1.5\n');
    expect(out.log).toContain('/opt/python/lib');
    expect(out.log).not.toContain(place);
    expect(await (await python()).tryImport('thing')).toMatchObject({ version: '1.5' });
    expect(await (await python()).tryImport('no_such_thing')).toMatchObject({
      version: null,
      why: expect.stringContaining('No module named'),
    });
    const look = await run(program(`import os; print(os.path.exists('${place}/secret.txt'))`));
    expect(look.log).toBe(sandbox === 'none' ? 'True\n' : 'False\n');
    expect(readdirSync(place).sort()).toEqual(['secret.txt', 'venv']);
  });

  test('that stands in ~/.local/bin as a link runs, also an environment made from it, and reads nothing beside', async () => {
    const place = folder({ 'share/keyrings/login': 'secret', 'bin/token': 'secret' });
    const link = join(place, 'bin/python3');
    symlinkSync(here?.path ?? '', link);
    const made = join(folder(), 'venv');
    execFileSync(link, ['-m', 'venv', '--without-pip', '--symlinks', made]);
    const look = `import os, sys; print(sys.executable); print([os.path.exists('${place}/' + name) for name in ('share/keyrings/login', 'bin/token')])`;
    const seen = sandbox === 'none' ? '[True, True]' : '[False, False]';
    for (const path of [link, join(made, 'bin/python3')]) {
      process.env.EVOLVE_PYTHON = path;
      const { run } = runner({ sandbox });
      expect(await run(program(look))).toMatchObject({
        kind: 'done',
        log: `/opt/python/bin/python3\n${seen}\n`,
      });
    }
  });
});

describe.skipIf(here === null)('the Python that has the modules', () => {
  test('one that is named is the only one', async () => {
    process.env.EVOLVE_PYTHON = here!.path;
    const { faults } = await (await python()).choosePython(['no_such_module'], ['python3']);
    expect(faults).toHaveLength(1);
    expect(process.env.EVOLVE_PYTHON).toBe(here!.path);
  });

  test('else the first that has them, for all jobs; where none has, nothing is chosen', async () => {
    delete process.env.EVOLVE_PYTHON;
    const { choosePython } = await python();
    expect((await choosePython(['no_such_module'])).faults).toHaveLength(1);
    expect(process.env.EVOLVE_PYTHON).toBeUndefined();
    expect(await choosePython(['json'])).toMatchObject({
      versions: { Python: expect.stringMatching(/^3\.\d+$/) },
      faults: [],
    });
    expect(process.env.EVOLVE_PYTHON).toBe('python3');
  });

  test('other versions make other jobs', () => {
    const spec = job('', { runtime: 'python', packages: 'Python 3.11, torch 1' });
    expect(identify(spec)).not.toBe(identify({ ...spec, packages: 'Python 3.11, torch 2' }));
  });
});
