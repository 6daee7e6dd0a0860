import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve } from './evolve.ts';
import { eventsOf, triedIn } from './journal.ts';

/** Runs on the small world, in which knowing nothing is enough for the search task s2 and the sealed task n1. */

const RUN = ['--population', '2', '--generations', '1', '--final-repeats', '3', '--sealed-repeats', '5'];
const SUITE = ['--suite', 'suite', '--genomes', 'genomes'];
const WHY = "the sample submission is above its leaderboard's median";

let folder: ReturnType<typeof emptyFolder>;
const at = (...names: string[]) => path.join(folder.dir, ...names);
const call = (...args: string[]) => evolve(args, { cwd: folder.dir });

beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { turns: 4, jobs: 1 });
  for (const id of ['s2', 'n1']) {
    writeFileSync(at('suite/tasks', id, 'leaderboard.csv'), 'score\n0.1\n90\n91\n92\n');
  }
  expect((await call('validate', '--audit', 'suite')).code).toBe(0);
});
afterAll(() => folder.remove());

test('a dry run says what is left out and what cannot be claimed', async () => {
  const { code, stdout } = await call(...SUITE, ...RUN, '--dry-run', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    suite: { tasks: { search: 3, validation: 1, sealed: 2 } },
    warnings: [
      `left out of the run: s2: ${WHY}`,
      `left out of the run: n1: ${WHY}`,
      expect.stringMatching(/^only 2 sealed tasks/),
      expect.stringMatching(/^no step can be credited: .* a gain of 10 points takes about \d/),
    ],
  });
  expect((await call(...SUITE, ...RUN, '--dry-run')).stdout).toMatch(/^warning +left out of the run: s2/m);
});

test('a run goes without unfit tasks, says so before and after, and is resumed without them', async () => {
  const args = [...SUITE, ...RUN, '--out', 'run'];
  const cut = await call(...args, '--budget-trials', '12');
  expect(cut.code).toBe(3);
  expect(cut.stderr).toContain(`evolve: warning: left out of the run: s2: ${WHY}\n`);
  expect(cut.stderr).toContain('evolve: warning: only 2 sealed tasks');
  expect(cut.stderr).toContain('evolve: warning: no step can be credited');
  const whole = await call('resume', 'run', '--budget-trials', '1000');
  expect(whole.code).toBe(0);
  expect(whole.stdout).toContain(`Tasks left out, as unfit\n  s2: ${WHY}\n  n1: ${WHY}\n`);
  expect(readFileSync(at('run/report.md'), 'utf8')).toContain(
    `- left out of the suite, as unfit: s2: ${WHY}`,
  );
  const started = eventsOf(at('run')).find(({ type }) => type === 'started');
  expect(started).toMatchObject({ identity: { leftOut: [`s2: ${WHY}`, `n1: ${WHY}`] } });
  const tasks = eventsOf(at('run')).flatMap((event) => (event.type === 'tried' ? [event.trial.task] : []));
  expect(triedIn(at('run')).length).toBeGreaterThan(12);
  expect(tasks).toEqual(expect.arrayContaining(['s1', 's3', 's4', 'n2', 'f1']));
  for (const unfit of ['s2', 'n1']) expect(tasks).not.toContain(unfit);
});

test('a run that left other tasks out is another run', async () => {
  const file = at('suite/suite.json');
  const before = readFileSync(file, 'utf8');
  const { audit: _, ...rest } = JSON.parse(before);
  writeFileSync(file, JSON.stringify(rest));
  const { code, stderr } = await call(...SUITE, ...RUN, '--out', 'run');
  writeFileSync(file, before);
  expect(code).toBe(2);
  expect(stderr).toContain('what the audit leaves out of the suite was');
});
