import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { CLI, emptyFolder, evolve, evolveHeld } from './evolve.ts';
import { eventsOf } from './journal.ts';

const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '4', '--generations', '2', '--seed', '3'],
  ...['--finalists', '2', '--final-repeats', '3', '--sealed-repeats', '5'],
];
let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, name);
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir);
});
afterAll(() => folder.remove());

const hasFinished = (run: string) => eventsOf(at(run)).some(({ type }) => type === 'ended');
const held = (run: string, then: (child: ChildProcess) => void) =>
  evolveHeld([...SMALL, '--out', run], { cwd: folder.dir, file: `${run}/journal.jsonl`, lines: 20 }, then);

test('a run goes on when nobody reads its progress any more', async () => {
  const { code, stdout } = await held('no-stderr', (child) => child.stderr!.destroy());
  expect(code).toBe(0);
  expect(stdout).toContain('Champion against baseline');
  expect(hasFinished('no-stderr')).toBe(true);
});

test('it goes on when nobody will read its result, and the exit code says so', async () => {
  const { code, stderr } = await held('no-stdout', (child) => child.stdout!.destroy());
  expect(code).toBe(4);
  expect(stderr).not.toContain('at ');
  expect(hasFinished('no-stdout')).toBe(true);
  expect(existsSync(at('no-stdout/report.md'))).toBe(true);
});

test.runIf(existsSync('/dev/full'))('a result that finds the disk full is not passed off as written', () => {
  const full = openSync('/dev/full', 'w');
  const argv = [CLI, 'show', 'no-stdout', 'champion'];
  const found = spawnSync(process.execPath, argv, { cwd: folder.dir, stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  expect(found.stderr.toString()).toMatch(/^evolve: stdout cannot be written: .*ENOSPC.*\n$/);
  expect(found.status).toBe(4);
});

test('a run outlives SIGHUP, also its grader', async () => {
  const { code, stderr } = await held('hangup', (child) => {
    child.kill('SIGHUP');
    for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGHUP');
  });
  expect(stderr).toContain('the terminal has gone; going on without it');
  expect(code).toBe(0);
  expect(eventsOf(at('hangup')).filter(({ type }) => type === 'tried')).toHaveLength(
    eventsOf(at('no-stderr')).filter(({ type }) => type === 'tried').length,
  );
});

/** Those in the process group of `pid`, as what a terminal tells reaches them. */
function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,pgid='], { encoding: 'utf8' }).trim().split('\n');
  const rows = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number]);
  const group = rows.find(([own]) => own === pid)![2];
  return rows.filter(([, parent, theirs]) => parent === pid && theirs === group).map(([own]) => own);
}

/** Runs its arguments on a terminal, which it closes as soon as the first line has come; says how they ended. */
const TERMINAL = `import os, pty, signal, subprocess, sys
master, slave = pty.openpty()
ignore = lambda: (os.setsid(), signal.signal(signal.SIGHUP, signal.SIG_IGN))
child = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=ignore)
os.close(slave)
seen = b''
while b'\\n' not in seen:
    seen += os.read(master, 4096)
os.close(master)
print(child.wait())`;

test('a run outlives its terminal, and ends with an exit code and not with a signal', async () => {
  const argv = ['-c', TERMINAL, process.execPath, CLI, ...SMALL, '--out', 'no-terminal'];
  const child = spawn('python3', argv, { cwd: folder.dir, stdio: ['ignore', 'pipe', 'inherit'] });
  let code = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (code += text));
  await new Promise((done) => child.once('close', done));
  expect(hasFinished('no-terminal')).toBe(true);
  expect(existsSync(at('no-terminal/lock'))).toBe(false);
  // What it had to say to its terminal it could not.
  expect(code.trim()).toBe('4');
});

test('reading only the beginning of a long answer is no fault of evolve', async () => {
  const { code, stderr } = await evolve(['show', 'no-stderr', 'champion'], { cwd: folder.dir }, (child) =>
    child.stdout!.destroy(),
  );
  expect(stderr).toBe('');
  expect([0, 4]).toContain(code);
  expect(readFileSync(at('no-stderr/journal.jsonl'), 'utf8')).not.toBe('');
});
