import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const CLI = path.resolve(import.meta.dirname, '../../dist/cli.js');

export type Ran = { code: number | null; stdout: string; stderr: string };

/** Runs the built `evolve` in `cwd`; `during` gets the process while it runs. A variable that is undefined is taken away. */
export function evolve(
  args: string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Record<string, string | undefined> } = {},
  during: (child: ReturnType<typeof spawn>) => void = () => {},
): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], { cwd, env: { ...process.env, ...env } });
  const ran: Ran = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ran.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (ran.stderr += text));
  during(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ran, code }));
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
