import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { statOf } from '../../src/proc.ts';

export const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js');

const HOLD = path.join(import.meta.dirname, 'hold-at.mjs');

type Env = Record<string, string | undefined>;

export type Ran = { code: number | null; stdout: string; stderr: string };

/** Progress as it was meant: its lines are cut at 110 columns, and those that follow are indented by two. */
const unwrapped = (text: string) => text.replace(/(?<=^.{40,})\n {2}(?=\S)/gm, ' ');

/**
 * Runs the built `evolve` in `cwd`; `during` gets the process while it runs. A variable that is undefined is taken away; `node`
 * are options of Node.
 */
export function evolve(
  args: string[],
  { cwd = process.cwd(), env = {}, node = [] }: { cwd?: string; env?: Env; node?: string[] } = {},
  during: (child: ReturnType<typeof spawn>) => void = () => {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...node, CLI, ...args], { cwd, env: { ...process.env, ...env } });
  const ran: Ran = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  during(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ran, stderr: unwrapped(ran.stderr), code }));
  });
}

/**
 * Runs `evolve` in `cwd` until its file `file` has `lines` lines, and then stands still, however busy the machine is, until
 * `then` has resolved, which gets the process; a run that is over before never comes to it. What `then` sends finds it there.
 */
export function evolveHeld(
  args: string[],
  { cwd, file, lines, env = {} }: { cwd: string; file: string; lines: number; env?: Env },
  then: (child: ReturnType<typeof spawn>) => void | Promise<void>,
): Promise<Ran> {
  const held = { ...env, HOLD_AT: `${lines} ${path.resolve(cwd, file)}` };
  return evolve(args, { cwd, env: held, node: ['--import', HOLD] }, (child) => {
    const timer = setInterval(async () => {
      if (statOf(`/proc/${child.pid}`)?.[0] !== 'T') return;
      clearInterval(timer);
      await then(child);
      child.kill('SIGCONT');
    }, 5);
    child.on('close', () => clearInterval(timer));
  });
}

/** An empty folder, and how to take it away. */
export function emptyFolder(): { dir: string; remove(): void; files(): string[] } {
  const dir = mkdtempSync(path.join(tmpdir(), 'evolve-test-'));
  return {
    dir,
    remove: () => rmSync(dir, { recursive: true, force: true }),
    files: () => readdirSync(dir, { recursive: true }).map(String),
  };
}
