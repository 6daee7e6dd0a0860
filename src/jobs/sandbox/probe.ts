import { realpathSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, runProcess } from '../process/process.ts';
import { launch } from './launch.ts';
import type { Python } from './python.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * Runs a command as a job would be run, in a folder that is removed after; `data/probe` holds `yes`. For finding out
 * what works, by trying.
 */
export async function probe(
  sandbox: Sandbox,
  command: string[],
  { seconds = 20, memoryMb = 512, python = null as Python | null } = {},
): Promise<Ended> {
  const dir = realpathSync(await mkdtemp(join(tmpdir(), 'evolve-sandbox-')));
  try {
    const [work, data] = [join(dir, 'work'), join(dir, 'data')];
    await Promise.all([mkdir(work), mkdir(data)]);
    await writeFile(join(data, 'probe'), 'yes');
    const limits = { seconds, memoryMb, outputBytes: 4000 };
    const spec = { command, limits, ...(python === null ? {} : { runtime: 'python' as const }) };
    const job = { spec, work, data, status: join(dir, 'status'), doors: [], gpus: [], hidden: [], python };
    return await runProcess({ ...launch(sandbox, job), seconds: 3 * seconds, outputBytes: 4000 });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Why it did not succeed, in a line: the last of what it printed, or the first where the sandbox itself says it. */
export function whyNot(ended: Ended): string {
  const lines = (ended.output || ended.error || ended.cause).trim().split('\n');
  return (lines.find((line) => line.startsWith('bwrap: ')) ?? lines.at(-1)) as string;
}
