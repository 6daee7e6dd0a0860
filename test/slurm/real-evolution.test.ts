import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decisionsOf, differences, eventsOf } from '../cli/journal.ts';
import { modelWorld, type World } from '../cli/model-world.ts';
import { call, realSlurm } from './real-slurm.ts';

const { env, absent } = realSlurm();
if (absent) console.warn(`SKIPPED, an evolution on Slurm: ${absent}`);

describe.skipIf(env === null)(`an evolution on a real Slurm${absent && ` (skipped: ${absent})`}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await modelWorld();
    writeFileSync(world.at('slurm.yaml'), 'jobs: slurm\nslurm: {poll: 500ms, batch: 200ms}\n');
  });
  afterAll(() => world.remove());

  const search = (name: string, args: string[]) =>
    world.search(name, {
      ...{ model: 'offline', size: [4, 2], env: { ...env } },
      args: ['--no-job-cache', ...args],
    });

  test('has the same candidates, trials and scores as one on this machine', async () => {
    expect(await search('local', [])).toMatchObject({ code: 0 });
    const ran = await search('slurm', ['--config', 'slurm.yaml']);
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('Slurm runs jobs: ') });
    expect(eventsOf(world.at('slurm')).filter(({ type }) => type === 'tried').length).toBeGreaterThan(20);
    expect(differences(decisionsOf(world.at('local')), decisionsOf(world.at('slurm')))).toEqual([]);
    // Told by their folders: others may use this Slurm meanwhile.
    const left = call('squeue', ['--noheader', '--states=PENDING,RUNNING', '--format=%Z'], env!);
    expect(left).not.toContain(world.at('slurm'));
  });
});
