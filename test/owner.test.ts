import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { isAbandoned, isOfThisRealm, lifeOf, owner } from '../src/owner.ts';
import { folder } from './jobs/fixture.ts';

const BUILT = fileURLToPath(new URL('../dist/owner.js', import.meta.url));
const NEW_SPACE = ['--pid', '--fork', '--kill-child'];
const canUnshare = spawnSync('unshare', [...NEW_SPACE, '--mount-proc', 'true']).status === 0;

test('a process is alive by its name, also with something behind it, and gone once it has ended', () => {
  expect(lifeOf(owner())).toBe('alive');
  expect(lifeOf(`${owner()}.abc`)).toBe('alive');
  expect(isOfThisRealm(owner())).toBe(true);
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  expect(lifeOf(owner().replace(`.${process.pid}.`, `.${pid}.`))).toBe('gone');
});

test.runIf(process.platform === 'linux')('a later process with the same number is another one', () => {
  expect(lifeOf(owner().replace(/\d+$/, '1'))).toBe('gone');
});

test('of a process of another machine, or of another boot of this one, nothing is known', () => {
  for (const name of ['0123456789abcdef-4026531836.1.5', 'some_host.17.5', '', '4711-abc']) {
    expect(lifeOf(name), name).toBe('unknown');
    expect(isOfThisRealm(name), name).toBe(false);
  }
});

test('what somebody unknown has left is abandoned only after a week', () => {
  const dir = folder();
  const stranger = '0123456789abcdef-4026531836.1.5';
  expect(isAbandoned(stranger, dir)).toBe(false);
  const weekAgo = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(dir, weekAgo, weekAgo);
  expect(isAbandoned(stranger, dir)).toBe(true);
  expect(isAbandoned(owner(), dir)).toBe(false);
});

/** Says its own name, then what it holds of each name that it is told. */
const PROGRAM = `import { lifeOf, owner } from ${JSON.stringify(BUILT)};
  import { createInterface } from 'node:readline';
  console.log(owner());
  for await (const name of createInterface({ input: process.stdin })) console.log(lifeOf(name));`;

/** The program in a PID namespace of its own: its name, a question, and its end. */
async function container(options: string[] = ['--mount-proc']) {
  const argv = [...NEW_SPACE, ...options, process.execPath, '--input-type=module', '-e', PROGRAM];
  const child = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await answers.next()).value);
  return {
    name: await next(),
    ask(name: string) {
      child.stdin.write(`${name}\n`);
      return next();
    },
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe.skipIf(!canUnshare)('between PID namespaces (needs unshare, as root)', () => {
  test('two containers know nothing of each other, and nothing of the machine around them', async () => {
    const [one, two] = [await container(), await container()];
    try {
      expect(one.name).not.toBe(two.name);
      expect(await two.ask(one.name)).toBe('unknown');
      expect(await two.ask(owner())).toBe('unknown');
      expect(await two.ask(two.name)).toBe('alive');
    } finally {
      await Promise.all([one.kill(), two.kill()]);
    }
  });

  test('the machine around them sees whether they live', async () => {
    const inside = await container();
    expect(lifeOf(inside.name)).toBe('alive');
    expect(isOfThisRealm(inside.name)).toBe(false);
    await inside.kill();
    expect(lifeOf(inside.name)).toBe('gone');
  });

  test('a process of number 1 that was killed is gone for the one that comes after it', async () => {
    const before = await container();
    await before.kill();
    const after = await container();
    // The kernel may give the new namespace the number of the old one; then it can tell, and else it must not guess.
    const isSameSpace = after.name.split('.')[0] === before.name.split('.')[0];
    expect(await after.ask(before.name)).toBe(isSameSpace ? 'gone' : 'unknown');
    await after.kill();
  });

  test('a container with the /proc of the machine mistakes no process for its own', async () => {
    const odd = await container([]);
    try {
      expect(await odd.ask(odd.name)).toBe('alive');
      const [space, , start] = odd.name.split('.');
      // Another process has this number for the machine, and none has it inside.
      expect(await odd.ask(`${space}.${process.pid}.${start}`)).toBe('gone');
    } finally {
      await odd.kill();
    }
  });
});
