import { lstatSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { access, constants, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Aliases } from './log.ts';
import { runProcess } from './process.ts';

/** How far a job is kept from the rest of the machine, and why no further. */
export type SandboxLevel = { level: 'bubblewrap' | 'none'; why: string };

/** What this machine can do to contain a process; found by trying. Paths are of its tools, null where absent. */
export type Sandbox = SandboxLevel & {
  bwrap: string | null;
  /** Options that not every version of it knows: `--disable-userns` (0.8), `--size` (0.7). */
  knows: { disableUserns: boolean; size: boolean };
  setpriv: string | null;
  /** Does a limit on data memory (RLIMIT_DATA) hold? */
  memoryLimit: boolean;
};

/** A process that is ready to be started. `status` is a file in which the sandbox says how far it came. */
export type Launch = { argv: string[]; env: Record<string, string>; cwd: string; aliases: Aliases };

/** What of a job the sandbox must know. All folders are real paths. `work` is the only writable one. */
export type Contained = {
  command: readonly string[];
  work: string;
  data: string;
  status: string;
  memoryMb: number;
  seconds: number;
  /** UUIDs of the GPUs that the job may use. */
  gpus: readonly string[];
  /** Folders of this machine that no job may see, should they lie under a system folder that jobs read. */
  hidden: readonly string[];
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

/**
 * The command line that runs a job's command. In front of it, each replacing itself by the next: a shell that sets the
 * limits and joins stderr to stdout, and `bwrap`, which leaves of the machine the system's programs, the data and the
 * folder, with no network and no privileges, and ends when this process does. Without `bwrap` the last is done by
 * `setpriv`; the shell then sees that this process had not ended before. (Not with `bwrap`: its inner process would be
 * left waiting for ever if the outer one were ended while it sets up the namespaces.)
 */
export function launch(sandbox: Sandbox, job: Contained): Launch {
  const contained = sandbox.bwrap !== null;
  const [program = '', ...rest] = job.command;
  const node = contained ? nodeInside : process.execPath;
  const flags = sandbox.memoryLimit ? [] : [`--max-old-space-size=${job.memoryMb}`];
  const command = program === 'node' ? [node, ...flags, ...rest] : [...job.command];
  const limit = sandbox.memoryLimit ? `ulimit -d ${(job.memoryMb + nodeOverheadMb) * 1024};` : '';
  // With GPUs only the clock counts. Without, the folder may lie in memory: so no file is larger than that.
  const cpu = Math.ceil(job.seconds);
  const bounds =
    job.gpus.length > 0 ? '' : `ulimit -f ${job.memoryMb * 2048};ulimit -St ${cpu};ulimit -Ht ${cpu + 5};`;
  const tied = contained ? null : sandbox.setpriv;
  const alive = tied === null ? '' : `[ "$PPID" = ${process.pid} ] || exit 1;`;
  const script = `${alive}ulimit -c 0;${bounds}${limit}s=$1;shift;exec "$@" 2>&1 3>"$s"`;
  return {
    argv: [
      ...(tied === null ? [] : [tied, '--pdeathsig', 'KILL', '--']),
      ...['/bin/sh', '-c', script, 'sh', job.status],
      ...(sandbox.bwrap === null ? [] : [sandbox.bwrap, ...walls(sandbox, job), '--']),
      ...command,
    ],
    env: {
      PATH: `${dirname(node)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: contained ? '/work' : job.work,
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      CUDA_VISIBLE_DEVICES: job.gpus.join(','),
    },
    cwd: job.work,
    aliases: [
      [job.work, '/work'],
      [job.data, '/work/data'],
      [process.execPath, nodeInside],
    ],
  };
}

/** Where Node stands inside, so that no path of this machine shows and every machine shows the same. */
const nodeInside = '/opt/node/bin/node';
/** What Node itself takes before the first line of a program: stacks and heap of its threads (measured: 60 to 100). */
const nodeOverheadMb = 128;
/** System folders that jobs read. `/etc` is not among them, but for what the loader and Debian's links need. */
const readable = ['/usr', '/nix/store'];
const etc = ['/etc/ld.so.cache', '/etc/alternatives'];
const packageRoot = realpathSync(fileURLToPath(new URL('../..', import.meta.url)));

let detected: Promise<Sandbox> | undefined;
let system: string[] | undefined;

function walls(sandbox: Sandbox, job: Contained): string[] {
  system ??= systemFolders();
  const hidden = [packageRoot, ...job.hidden].filter((dir) =>
    readable.some((root) => dir.startsWith(root + sep)),
  );
  const memory = sandbox.knows.size ? ['--size', String(job.memoryMb * 2 ** 20)] : [];
  const devices =
    job.gpus.length === 0 ? [] : readdirSync('/dev').filter((name) => name.startsWith('nvidia'));
  return [
    // No `--new-session`: it has a session of its own already, and all of it must stay in one group, to be ended as one.
    ...['--unshare-user', '--unshare-all', '--cap-drop', 'ALL', '--die-with-parent'],
    ...['--json-status-fd', '3', ...system],
    ...(sandbox.knows.disableUserns ? ['--disable-userns'] : []),
    ...hidden.flatMap((dir) => ['--tmpfs', dir]),
    // Who is root outside could write to /proc/sys even without privileges.
    ...['--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev'],
    ...devices.flatMap((name) => ['--dev-bind-try', `/dev/${name}`, `/dev/${name}`]),
    ...[...memory, '--tmpfs', '/dev/shm', '--remount-ro', '/dev', ...memory, '--tmpfs', '/tmp'],
    ...['--ro-bind', process.execPath, nodeInside],
    ...['--bind', job.work, '/work', '--ro-bind', job.data, '/work/data'],
    ...['--remount-ro', '/', '--chdir', '/work'],
  ];
}

function systemFolders(): string[] {
  const args = readable.flatMap((dir) => ['--ro-bind-try', dir, dir]);
  for (const dir of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    const found = lstatSync(dir, { throwIfNoEntry: false });
    if (found?.isSymbolicLink()) args.push('--symlink', readlinkSync(dir), dir);
    else if (found) args.push('--ro-bind', dir, dir);
  }
  return [...args, ...etc.flatMap((path) => ['--ro-bind-try', path, path])];
}

async function detect(): Promise<Sandbox> {
  const [bwrap, setprivPath] = await Promise.all([which('bwrap'), which('setpriv')]);
  const bare: Sandbox = {
    level: 'none',
    why: '',
    bwrap: null,
    knows: { disableUserns: false, size: false },
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
  for (const [disableUserns, size] of [
    [true, true],
    [false, true],
    [false, false],
  ] as const) {
    const knows = { disableUserns, size };
    const sandbox: Sandbox = { ...base, level: 'bubblewrap', why: 'bubblewrap works', bwrap, knows };
    why = await tryOut(sandbox);
    if (why === '') return sandbox;
  }
  return { ...base, why: `bubblewrap does not work here: ${why}` };
}

/** Runs Node inside; empty, or what went wrong. */
async function tryOut(sandbox: Sandbox): Promise<string> {
  const dir = realpathSync(await mkdtemp(join(tmpdir(), 'evolve-sandbox-')));
  try {
    const [work, data] = [join(dir, 'work'), join(dir, 'data')];
    await Promise.all([mkdir(work), mkdir(data)]);
    await writeFile(join(data, 'probe'), 'yes');
    const code = "require('fs').copyFileSync('data/probe', 'copy')";
    const status = join(dir, 'status');
    const job = {
      command: ['node', '-e', code],
      work,
      data,
      status,
      memoryMb: 512,
      seconds: 20,
      gpus: [],
      hidden: [],
    };
    const ended = await runProcess({ ...launch(sandbox, job), seconds: 20, outputBytes: 1000 });
    if (ended.cause === 'exit' && ended.code === 0) return '';
    return (ended.output || ended.error || ended.cause).trim().split('\n')[0] as string;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function works(argv: string[]): Promise<boolean> {
  const env = { PATH: '/usr/bin:/bin' };
  const ended = await runProcess({ argv, cwd: '/', env, seconds: 20, outputBytes: 1000 });
  return ended.cause === 'exit' && ended.code === 0;
}

async function which(name: string): Promise<string | null> {
  for (const dir of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(dir || '.', name);
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return realpathSync(file);
  }
  return null;
}
