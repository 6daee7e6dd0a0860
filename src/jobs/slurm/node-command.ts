import { realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The argv that runs the node's program, by absolute paths: the same Node and the same build as here. */
export function nodeCommand(...args: string[]): string[] {
  const here = import.meta.url;
  const built = here.endsWith('.ts') ? '../../../dist/jobs/slurm/node-main.js' : './node-main.js';
  return [realpathSync(process.execPath), fileURLToPath(new URL(built, here)), ...args];
}

/** Writes the batch script into a shared folder and says where. It runs its arguments; options of sbatch are never in it. */
export async function writeStarter(shared: string): Promise<string> {
  const path = join(shared, 'start.sh');
  await writeFile(path, STARTER, { mode: 0o755 });
  return path;
}

/** A path as it stands in `--output`, where a per cent sign begins a pattern. */
export function outputPattern(path: string): string {
  return path.replaceAll('%', '%%');
}

/** Variables of Slurm, and of the node's set-up for it, that the program needs. */
const NEEDED = [
  'SLURM_JOB_ID',
  'SLURM_ARRAY_JOB_ID',
  'SLURM_ARRAY_TASK_ID',
  'SLURM_RESTART_COUNT',
  'SLURMD_NODENAME',
  'CUDA_VISIBLE_DEVICES',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'EVOLVE_PYTHON',
];

/** A login's variables come along although they were not exported, keys among them; so all but the needed ones go. */
const STARTER = `#!/bin/sh
exec env -i PATH="$PATH" ${NEEDED.map((name) => `\${${name}+"${name}=$${name}"}`).join(' ')} "$@"
`;
