import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Finding } from '../../src/commands/doctor.ts';
import { emptyFolder, evolve } from './evolve.ts';

let folder: ReturnType<typeof emptyFolder>;
beforeEach(() => {
  folder = emptyFolder();
});
afterEach(() => folder.remove());

/** What doctor says of Slurm where its programs are these shell scripts. */
async function slurmLines(programs: Record<string, string>): Promise<Finding[]> {
  const bin = path.join(folder.dir, 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(bin, name), 0o755);
  }
  const { stdout } = await evolve(['doctor', '--json'], {
    cwd: folder.dir,
    env: { PATH: `${bin}:/no-such-folder` },
  });
  return (JSON.parse(stdout) as Finding[]).filter(({ name }) => name.startsWith('slurm'));
}

const sinfo = `case "$1" in --version) echo slurm-wlm 22.05.8;; *) printf '%s\\n' 'main*|up|3|gpu:a100:4' 'cpu|up|9|(null)' 'old|down|1|gpu:2';; esac`;

test('a cluster that answers: its version, its partitions with GPUs, whether sacct works', async () => {
  const scripts = { sinfo, scontrol: 'echo "Slurmctld(primary) at head is UP"' };
  expect(
    await slurmLines({ ...scripts, sacct: 'echo Slurm accounting storage is disabled >&2; exit 1' }),
  ).toEqual([
    { name: 'slurm', ok: 'yes', detail: 'slurm-wlm 22.05.8; it answers' },
    { name: 'slurm gpus', ok: 'yes', detail: 'main (default): gpu:a100:4 on 3 nodes' },
    {
      name: 'slurm accounts',
      ok: 'yes',
      detail: 'no sacct (Slurm accounting storage is disabled); squeue and scontrol do',
    },
  ]);
});

test('a cluster that is away', async () => {
  const scripts = {
    sinfo: `[ "$1" = --version ] && echo slurm 23.11.4`,
    scontrol: 'echo "Slurmctld(primary) at head is DOWN"',
  };
  expect(await slurmLines(scripts)).toEqual([
    { name: 'slurm', ok: 'warn', detail: expect.stringMatching(/^slurm 23\.11\.4; it does not answer/) },
  ]);
});

test('programs without a configuration, and none at all', async () => {
  expect(await slurmLines({ sinfo: 'exit 1' })).toEqual([
    { name: 'slurm', ok: 'warn', detail: expect.stringContaining('not set up') },
  ]);
  folder.remove();
  folder = emptyFolder();
  expect(await slurmLines({})).toEqual([{ name: 'slurm', ok: 'yes', detail: 'none' }]);
});
