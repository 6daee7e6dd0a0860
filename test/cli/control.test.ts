import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ControlFile } from '../../src/report/control.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve, evolveHeld } from './evolve.ts';
import { eventsOf, triedIn } from './journal.ts';

const RUN = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '4', '--generations', '2', '--seed', '3'],
  ...[
    '--finalists',
    '1',
    '--final-repeats',
    '3',
    '--claims',
    '0',
    '--control',
    'chain,resample',
    '--out',
    'run',
  ],
];

let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, 'run', name);
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir);
});
afterAll(() => folder.remove());

test('--dry-run counts control arms, in 110 columns, and refuses those that say nothing', async () => {
  const dry = (...more: string[]) => evolve([...RUN, '--dry-run', ...more], { cwd: folder.dir });
  const alone = JSON.parse(
    (
      await evolve([...RUN.filter((word) => !/control|chain/.test(word)), '--dry-run', '--json'], {
        cwd: folder.dir,
      })
    ).stdout,
  );
  const plan = JSON.parse((await dry('--json')).stdout);
  expect(alone.control).toEqual([]);
  expect(plan.control.map(({ arm }: { arm: string }) => arm)).toEqual(['resample', 'chain']);
  const arms = plan.control.reduce((sum: number, { trials }: { trials: number }) => sum + trials, 0);
  expect(plan.trials.expected).toBe(alone.trials.expected + arms);
  expect(arms).toBeGreaterThan(alone.trials.expected);
  const text = (await dry()).stdout;
  expect(text).toMatch(/^trials .*, control arms included: resample \d+, chain \d+$/m);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);

  const itself = await dry('--strategy', 'chain');
  expect(itself).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('with itself') });
});

test('control arms get the trials of the search, and go on after an interruption in the midst of one', async () => {
  const cut = await evolveHeld(
    [...RUN, '--quiet'],
    { cwd: folder.dir, file: 'run/control/resample/journal.jsonl', lines: 7 },
    (child) => void child.kill('SIGINT'),
  );
  expect(cut.code).toBe(130);
  expect(existsSync(at('control.json'))).toBe(false);
  const tried = triedIn(at('')).length;

  const { code, stdout } = await evolve(['resume', 'run', '--quiet'], { cwd: folder.dir });
  expect(code).toBe(0);
  expect(triedIn(at(''))).toHaveLength(tried);
  const { arms } = JSON.parse(readFileSync(at('control.json'), 'utf8')) as ControlFile;
  expect(arms.map(({ arm }) => arm)).toEqual(['population', 'resample', 'chain']);
  const [own, resample, chain] = arms;
  expect(resample!.trials).toBe(own!.trials);
  expect(chain!.trials).toBeLessThanOrEqual(own!.trials);
  expect(stdout).toMatch(/^Control arms\n {2}arm .*\n {2}population .*\n {2}resample .*\n {2}chain /m);

  // Plain sampling scores the baseline alone, each trial once.
  const events = eventsOf(at('control/resample'));
  const trials = events.flatMap((event) => (event.type === 'tried' ? [event.trial] : []));
  expect(new Set(trials.map(({ genome, role }) => `${genome} ${role}`)).size).toBe(1);
  expect(trials[0]!.role).toBe('sealed');
  expect(new Set(trials.map(({ id }) => id)).size).toBe(trials.length);

  // Another arm later stands beside those that were measured before, one whose folder is gone too.
  rmSync(at('control/chain'), { recursive: true });
  const later = await evolve(
    [...RUN.map((word) => (word === 'chain,resample' ? 'random' : word)), '--json'],
    {
      cwd: folder.dir,
    },
  );
  expect(later.code).toBe(0);
  const more = JSON.parse(readFileSync(at('control.json'), 'utf8')) as ControlFile;
  expect(more.arms.map(({ arm }) => arm)).toEqual(['population', 'resample', 'random', 'chain']);
  expect(more.arms.filter(({ arm }) => arm !== 'random')).toEqual(arms);
  expect(JSON.parse(later.stdout).control.arms).toHaveLength(4);
  expect(existsSync(at('control/chain'))).toBe(false);

  const longer = await evolve(['resume', 'run', '--generations', '3'], { cwd: folder.dir });
  expect(longer).toMatchObject({ code: 2, stderr: expect.stringContaining('has control arms') });
});
