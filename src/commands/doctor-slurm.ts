import { execFile } from 'node:child_process';
import type { Finding } from './doctor.ts';

/** What there is of Slurm: its version and whether it answers, partitions with GPUs, accounting. */
export async function lookAtSlurm(): Promise<Finding[]> {
  const version = await say('sinfo', ['--version']);
  if (!version.ok) {
    const detail = version.found ? 'installed, but not set up: is SLURM_CONF missing?' : 'none';
    return [{ name: 'slurm', ok: version.found ? 'warn' : 'yes', detail }];
  }
  const [ping, partitions, accounts] = await Promise.all([
    say('scontrol', ['ping']),
    say('sinfo', ['--noheader', '--format=%P|%a|%D|%G']),
    say('sacct', ['--noheader', '--allocations', '--starttime=now']),
  ]);
  const up = ping.ok && partitions.ok && / is UP/.test(ping.text);
  const answers = up ? 'it answers' : 'it does not answer: see `scontrol ping` and SLURM_CONF';
  const slurm: Finding = {
    name: 'slurm',
    ok: up ? 'yes' : 'warn',
    detail: `${firstLine(version.text)}; ${answers}`,
  };
  if (!up) return [slurm];
  const counted = accounts.ok
    ? 'sacct works'
    : `no sacct (${firstLine(accounts.text)}); squeue and scontrol do`;
  return [
    slurm,
    { name: 'slurm gpus', ok: 'yes', detail: gpusOf(partitions.text) },
    { name: 'slurm accounts', ok: 'yes', detail: counted },
  ];
}

/** Reads `partition|up|nodes|gres` lines: the partitions that are up and have GPUs. */
function gpusOf(lines: string): string {
  const found = lines.split('\n').flatMap((line) => {
    const [name = '', state, nodes, gres = ''] = line.split('|');
    const gpus = gres.split(',').filter((one) => one.startsWith('gpu'));
    if (state !== 'up' || gpus.length === 0) return [];
    return [
      `${name.replace('*', ' (default)')}: ${gpus.join(', ')} on ${nodes} ${nodes === '1' ? 'node' : 'nodes'}`,
    ];
  });
  return found.length === 0 ? 'no partition has any' : found.join('; ');
}

/** What a program printed; what it said of its failure where it failed, if it was found at all. It sees no key. */
function say(program: string, args: string[]): Promise<{ ok: boolean; found: boolean; text: string }> {
  const { PATH, SLURM_CONF, HOME } = process.env;
  const env = { PATH, HOME, LC_ALL: 'C', ...(SLURM_CONF === undefined ? {} : { SLURM_CONF }) };
  return new Promise((done) => {
    execFile(program, args, { timeout: 10_000, env }, (error, stdout, stderr) => {
      const found = error?.code !== 'ENOENT';
      done({ ok: error === null, found, text: error ? stderr : stdout });
    });
  });
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
