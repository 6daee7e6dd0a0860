import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const CONF = '/tmp/evolve-slurm/slurm.conf';

/** The Slurm that `test/slurm/install.sh` has started: what its programs must see, or why there is none. */
export type RealSlurm = { env: { SLURM_CONF: string }; absent: '' } | { env: null; absent: string };

export function realSlurm(): RealSlurm {
  if (!existsSync(CONF)) return { env: null, absent: 'no Slurm: test/slurm/install.sh, as root, starts one' };
  try {
    const env = { SLURM_CONF: CONF };
    const states = call('sinfo', ['--noheader', '--format=%t'], env);
    // While a job of others is just ending it is `comp`.
    if (/^(idle|mix|alloc|comp)/m.test(states)) return { env, absent: '' };
    return { env: null, absent: `the node of the Slurm for tests is ${states.trim() || 'unknown'}` };
  } catch (error) {
    return {
      env: null,
      absent: `the Slurm for tests does not answer: ${(error as Error).message.split('\n')[0]}`,
    };
  }
}

/** Calls a program of the Slurm for tests; gives what it prints. */
export function call(program: string, args: readonly string[], env: { SLURM_CONF: string }): string {
  const { PATH } = process.env;
  return execFileSync(program, args, { env: { PATH, ...env }, encoding: 'utf8', timeout: 20_000 });
}
