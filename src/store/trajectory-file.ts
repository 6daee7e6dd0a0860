import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trajectory } from '../agent/trajectory.ts';

/** What the agent did in the trial with that folder; null where that is not kept. */
export async function readTrajectory(folder: string): Promise<Trajectory | null> {
  try {
    return JSON.parse(await readFile(join(folder, 'trajectory.json'), 'utf8')) as Trajectory;
  } catch {
    return null;
  }
}
