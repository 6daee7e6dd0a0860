import { spawnSync } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launch } from '../../../src/jobs/sandbox/launch.ts';
import { findPython } from '../../../src/jobs/sandbox/python.ts';
import { detectSandbox } from '../../../src/jobs/sandbox/sandbox.ts';
import { folder } from '../fixture.ts';

const sandbox = await detectSandbox();
const { python } = await findPython();
const absent =
  python === null
    ? ' (not tried: no Python)'
    : sandbox.bwrap === null || !sandbox.knows.filter
      ? ` (not tried: ${sandbox.why})`
      : '';

const numbers =
  "import ctypes, os, sys\nadd, ctl = (248, 250) if os.uname().machine == 'x86_64' else (217, 219)";
/** Begins a keyring of its own, as a login does, with a secret in it, and becomes what it is told. */
const login = `${numbers}
libc = ctypes.CDLL(None)
libc.syscall(ctl, 1, b'evolve-test')
if libc.syscall(add, b'user', b'evolve-test', b'secret', 6, -3) < 0: sys.exit('no keys here')
os.execv(sys.argv[1], sys.argv[1:])`;
const thief = `${numbers}
libc, held = ctypes.CDLL(None), ctypes.create_string_buffer(9)
libc.syscall(ctl, 11, libc.syscall(ctl, 10, -3, b'user', b'evolve-test', 0), held, 9)
print('found', held.value.decode())`;

test.skipIf(absent !== '')(`the keys of a login are out of reach, by the filter${absent}`, ({ skip }) => {
  const steal = (filter: boolean) => {
    const dir = realpathSync(folder());
    for (const name of ['work', 'data']) mkdirSync(join(dir, name));
    const { argv, env, cwd } = launch(
      { ...sandbox, knows: { ...sandbox.knows, filter } },
      {
        spec: {
          command: ['python', '-c', thief],
          limits: { seconds: 20, memoryMb: 512, outputBytes: 1000 },
          runtime: 'python',
        },
        ...{ work: join(dir, 'work'), data: join(dir, 'data'), status: join(dir, 'status') },
        ...{ doors: [], gpus: [], hidden: [], python },
      },
    );
    const { stdout, stderr } = spawnSync(python?.path ?? '', ['-c', login, ...argv], {
      env,
      cwd,
      encoding: 'utf8',
    });
    if (stderr.includes('no keys here')) skip('this machine has no keyrings');
    return stdout;
  };
  expect(steal(false)).toBe('found secret\n');
  expect(steal(true)).toBe('found \n');
});
