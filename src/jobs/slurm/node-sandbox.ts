import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../json.ts';
import { detectSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import { writeWhole } from './job-folder.ts';

/** For how long what was found on a node holds, ms. */
const HOLDS_MS = 3_600_000;

/** The sandbox of a node, and how to forget it. */
export type NodeSandbox = { sandbox: Sandbox; forget(): Promise<void> };

/**
 * The sandbox of this node, found once by all its tasks within an hour: to try it out costs more than many a job. It stands in
 * the shared folder, which no job in a sandbox sees, and only that it works is kept: if it does not any more, jobs fail
 * to be set up, and are run again once it is forgotten; none runs without.
 */
export async function nodeSandbox(shared: string, node: string): Promise<NodeSandbox> {
  const place = join(shared, 'nodes', `${sha256(`${node} ${here()}`, 16)}.json`);
  const forget = () => rm(place, { force: true });
  const known = read(place);
  if (known) return { sandbox: known, forget };
  const sandbox = await detectSandbox();
  if (sandbox.level !== 'none') {
    await mkdir(join(shared, 'nodes'), { recursive: true, mode: 0o700 });
    writeWhole(place, JSON.stringify({ sandbox, at: Date.now() }));
  }
  return { sandbox, forget };
}

/** What decides about what is found, beside the machine: since when it runs, and where programs are. */
function here(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return [boot, process.version, process.env.PATH].join(' ');
}

function read(place: string): Sandbox | null {
  try {
    const { sandbox, at } = JSON.parse(readFileSync(place, 'utf8')) as { sandbox: Sandbox; at: number };
    const age = Date.now() - at;
    const isThere = sandbox.bwrap !== null && existsSync(sandbox.bwrap);
    return isThere && age >= 0 && age < HOLDS_MS ? sandbox : null;
  } catch {
    return null;
  }
}
