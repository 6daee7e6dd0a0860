import type { Call, Said } from './cluster.ts';

/** What was submitted. `exported` are names of variables; `script` is an argv. */
export type Submission = {
  name: string;
  comment: string;
  tasks: number;
  atOnce: number;
  gpus: number;
  output: string;
  chdir: string;
  exported: string[];
  env: Record<string, string>;
  script: string[];
  options: string[];
};

/** Reads a call of sbatch as sbatch would; options are taken as `--name=value` only. */
export function parseSubmission({ args, env }: Pick<Call, 'args' | 'env'>): Submission {
  const first = args.findIndex((arg) => !arg.startsWith('--'));
  const options = args.slice(0, first);
  const of = (name: string) =>
    options.findLast((option) => option.startsWith(`--${name}=`))?.slice(name.length + 3);
  const array = /^0-(\d+)(?:%(\d+))?$/.exec(of('array') ?? '');
  if (first < 0 || array === null) throw new Error(`sbatch is called in another way: ${args.join(' ')}`);
  const exported = of('export') ?? 'ALL';
  return {
    name: of('job-name') ?? 'none',
    comment: of('comment') ?? '',
    tasks: Number(array[1]) + 1,
    atOnce: Number(array[2] ?? Number.POSITIVE_INFINITY),
    gpus: Number(of('gres')?.split(':').at(-1) ?? 0),
    output: of('output') ?? '/dev/null',
    chdir: of('chdir') ?? '/',
    exported: exported === 'ALL' ? Object.keys(env) : exported.split(','),
    env,
    script: args.slice(first),
    options,
  };
}

/** An answer that was said well, or, with `stderr`, one of failure. */
export function tell(stdout: string, stderr = ''): Said {
  return { code: stderr === '' ? 0 : 1, stdout, stderr: stderr === '' ? '' : `${stderr}\n` };
}
