import { nodeOverheadMb } from '../process/limits.ts';
import { runProcess } from '../process/process.ts';
import { probe, whyNot } from './probe.ts';
import { syscallFilter } from './syscalls.ts';
import { which } from './which.ts';

/** How far a job is kept from the rest of the machine, and why no further. */
export type SandboxLevel = { level: 'bubblewrap' | 'none'; why: string };

/** What this machine can do to contain a process; found by trying. Paths are of its tools, null where absent. */
export type Sandbox = SandboxLevel & {
  bwrap: string | null;
  /** What not every version of it knows: `--disable-userns` (0.8), `--size` (0.7); and a filter for this processor. */
  knows: { disableUserns: boolean; size: boolean; filter: boolean };
  setpriv: string | null;
  /** Does a limit on data memory (RLIMIT_DATA) hold? */
  memoryLimit: boolean;
};

/** The level on this machine, found once. */
export async function sandboxLevel(): Promise<SandboxLevel> {
  const { level, why } = await detectSandbox();
  return { level, why };
}

/** Tries what is installed, once a process. */
export function detectSandbox(): Promise<Sandbox> {
  detected ??= detect();
  return detected;
}

/** The same machine without bubblewrap. */
export async function withoutBubblewrap(): Promise<Sandbox> {
  return { ...(await detectSandbox()), level: 'none', why: 'switched off', bwrap: null };
}

let detected: Promise<Sandbox> | undefined;

async function detect(): Promise<Sandbox> {
  const [bwrap, setprivPath] = [which('bwrap'), which('setpriv')];
  const bare: Sandbox = {
    level: 'none',
    why: '',
    bwrap: null,
    knows: { disableUserns: false, size: false, filter: false },
    setpriv: null,
    memoryLimit: false,
  };
  const filled = `new ArrayBuffer(${2 * nodeOverheadMb * 2 ** 20})`;
  const limit = `ulimit -d ${nodeOverheadMb * 1024} && exec "$0" -e "$1"`;
  const [setpriv, starts, holds] = await Promise.all([
    setprivPath === null ? false : works([setprivPath, '--pdeathsig', 'KILL', '--', '/bin/sh', '-c', ':']),
    works(['/bin/sh', '-c', limit, process.execPath, '0']),
    works(['/bin/sh', '-c', limit, process.execPath, `try { ${filled}; process.exit(1) } catch {}`]),
  ]);
  const base = { ...bare, setpriv: setpriv ? setprivPath : null, memoryLimit: starts && holds };
  if (process.platform !== 'linux') return { ...base, why: 'bubblewrap is for Linux' };
  if (bwrap === null) return { ...base, why: 'bubblewrap (bwrap) is not installed' };
  let why = '';
  const has = syscallFilter() !== null;
  for (const [disableUserns, size, filter] of [
    [true, true, has],
    [false, true, has],
    [false, false, has],
    [false, false, false],
  ] as const) {
    const knows = { disableUserns, size, filter };
    const short = filter ? '' : ', but without a filter of system calls';
    const sandbox: Sandbox = { ...base, level: 'bubblewrap', why: `bubblewrap works${short}`, bwrap, knows };
    why = await tryOut(sandbox);
    if (why === '') return sandbox;
  }
  return { ...base, why: `bubblewrap does not work here: ${why}` };
}

/** Runs Node inside; empty, or what went wrong. */
async function tryOut(sandbox: Sandbox): Promise<string> {
  const code = "require('fs').copyFileSync('data/probe', 'copy')";
  const ended = await probe(sandbox, ['node', '-e', code]);
  return ended.cause === 'exit' && ended.code === 0 ? '' : whyNot(ended);
}

async function works(argv: string[]): Promise<boolean> {
  const env = { PATH: '/usr/bin:/bin' };
  const ended = await runProcess({ argv, cwd: '/', env, seconds: 20, outputBytes: 1000 });
  return ended.cause === 'exit' && ended.code === 0;
}
