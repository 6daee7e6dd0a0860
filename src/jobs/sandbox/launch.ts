import { writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { JobSpec } from '../job.ts';
import { limitsOf, nodeOverheadMb } from '../process/limits.ts';
import type { Aliases } from '../process/log.ts';
import type { Python } from './python.ts';
import type { Sandbox } from './sandbox.ts';
import { syscallFilter } from './syscalls.ts';
import { variables } from './variables.ts';
import { nodeInside, walls } from './walls.ts';

/** A process that is ready to be started. */
export type Launch = { argv: string[]; env: Record<string, string>; cwd: string; aliases: Aliases };

/** What of a job the sandbox must know. All folders are real paths. */
export type Contained = {
  spec: Pick<JobSpec, 'command' | 'limits' | 'clock' | 'cpus' | 'env' | 'network' | 'runtime'>;
  /** The only writable folder. */
  work: string;
  data: string;
  /** A file in which the sandbox says how far it came; does not exist yet, nor one named so with more behind it. */
  status: string;
  /** Files to which its first process writes `0`, and so joins the group that bounds it. */
  doors: readonly string[];
  /** UUIDs of the GPUs that the job may use. */
  gpus: readonly string[];
  /** Folders of this machine that no job may see, should they lie under a folder that jobs read. */
  hidden: readonly string[];
  /** What `runtime: 'python'` runs on; else null. */
  python: Python | null;
};

/**
 * The command line that runs a job's command. In front of it, each replacing itself by the next: a shell that sets the
 * limits, and `bwrap`, which leaves of the machine the system's programs, the data and the folder, with no network and no privileges, and ends when this process does. Without `bwrap` the last is done by
 * `setpriv`; the shell then sees that this process had not ended before. (Not with `bwrap`: its inner process would be
 * left waiting for ever if the outer one were ended while it sets up the namespaces.)
 * Writes the filter of system calls beside `status`. Throws where the job asks for a variable that none may have.
 */
export function launch(sandbox: Sandbox, job: Contained): Launch {
  const { spec, python } = job;
  const contained = sandbox.bwrap !== null;
  const [program = '', ...rest] = spec.command;
  const node = contained ? nodeInside : process.execPath;
  const flags = sandbox.memoryLimit ? [] : [`--max-old-space-size=${spec.limits.memoryMb}`];
  const command =
    program === 'node'
      ? [node, ...flags, ...rest]
      : python !== null && (program === 'python' || program === 'python3')
        ? [python.path, ...rest]
        : [...spec.command];
  const tied = contained ? null : sandbox.setpriv;
  const alive = tied === null ? '' : `[ "$PPID" = ${process.pid} ] || exit 1;`;
  const filter = contained && sandbox.knows.filter ? syscallFilter() : null;
  if (filter !== null) writeFileSync(`${job.status}.filter`, filter);
  const descriptors = contained ? `3>"$s" ${filter === null ? '' : '4<"$s.filter"'}` : '';
  const started = contained ? '' : ':>"$s";';
  const script = `${alive}${bounds(sandbox, job)}s=$1;shift;${started}exec "$@" ${descriptors}`;
  const programs = [dirname(node), ...(python === null ? [] : [dirname(python.path)])];
  return {
    argv: [
      ...(tied === null ? [] : [tied, '--pdeathsig', 'KILL', '--']),
      ...['/bin/sh', '-c', script, 'sh', ...job.doors, job.status],
      ...(sandbox.bwrap === null ? [] : [sandbox.bwrap, ...walls(sandbox, job), '--']),
      ...command,
    ],
    env: variables(spec, { home: contained ? '/work' : job.work, programs, gpus: job.gpus }),
    cwd: job.work,
    aliases: [
      [job.work, '/work'],
      [job.data, '/work/data'],
      [process.execPath, nodeInside],
      ...(python?.folders ?? []).map((folder) => [folder, '/opt/python'] as const),
      ...(python?.links ?? []).map(({ at }) => [at, `/opt/python/bin/${basename(at)}`] as const),
    ],
  };
}

/** Shell commands that set what every process of the job inherits; the group is joined first. */
function bounds(sandbox: Sandbox, { spec, gpus, doors }: Contained): string {
  const { memoryMb, seconds, diskMb, wall } = limitsOf({ ...spec, gpus: gpus.length });
  const cpu = Math.ceil(seconds);
  // CUDA reserves far more memory than it uses.
  const data =
    sandbox.memoryLimit && gpus.length === 0 ? `ulimit -d ${(memoryMb + nodeOverheadMb) * 1024};` : '';
  const time = wall ? '' : `ulimit -St ${cpu};ulimit -Ht ${cpu + 5};`;
  return `${'echo 0 >"$1" || exit 1;shift;'.repeat(doors.length)}ulimit -c 0;ulimit -f ${diskMb * 2048};${time}${data}`;
}
