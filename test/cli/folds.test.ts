import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FoldsReport } from '../../src/report/folds.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve, evolveHeld } from './evolve.ts';
import { differences, eventsOf, resultsOf, triedIn } from './journal.ts';

const TASKS = ['s1', 's2', 'v1', 'n1', 'f1'];
const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '3', '--generations', '1', '--seed', '3'],
  ...['--finalists', '1', '--final-repeats', '3', '--workers', '2'],
];
const FOLDS = ['fold-1', 'fold-2'];

let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, name);
const folds = (more: string[]) => evolve([...SMALL, ...more], { cwd: folder.dir });

/** The run that nothing happens to. */
let calm: Awaited<ReturnType<typeof folds>>;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: TASKS, turns: 8, jobs: 3 });
  const file = at('suite/suite.json');
  const suite = JSON.parse(readFileSync(file, 'utf8'));
  const tasks = suite.tasks.map(({ id }: { id: string }) => ({ id }));
  writeFileSync(file, JSON.stringify({ ...suite, tasks }));
  await smallWorld(at('roles'), { only: ['s1', 'n1'] });
  calm = await folds(['--folds', '2', '--out', 'calm', '--json']);
});
afterAll(() => folder.remove());

/** Where a call is held: as soon as the journal of that fold has `lines` lines. */
const line = (fold: string, lines: number) => ({ cwd: folder.dir, file: `${fold}/journal.jsonl`, lines });

test('every task has a sealed score from a search that never tried it, and one document says so', async () => {
  expect(calm.code).toBe(0);
  const report: FoldsReport = JSON.parse(calm.stdout);
  expect(report).toMatchObject({ run: 'calm', seed: 3, stop: 'finished', verdict: 'cannot tell apart' });
  expect(report.tasks.map(({ task }) => task)).toEqual([...TASKS].sort());
  expect(report.tasks.every(({ repeats }) => repeats === 5)).toBe(true);
  for (const fold of FOLDS) {
    const sealed = report.tasks.filter((row) => row.fold === fold).map(({ task }) => task);
    const events = eventsOf(at(`calm/${fold}`));
    const frozen = events.findIndex((event) => event.type === 'champion');
    for (const event of events.slice(0, frozen))
      if (event.type === 'tried') expect(sealed).not.toContain(event.trial.task);
    const opened = events.flatMap((event) =>
      event.type === 'tried' && event.trial.role === 'sealed' ? [event.trial.task] : [],
    );
    expect([...new Set(opened)].sort()).toEqual(sealed);
  }
  expect(calm.stderr).toMatch(/5 tasks allow no verdict.*it takes 7/);
  expect(calm.stderr).toMatch(/^evolve: fold-1 of 2: .* sealed are .*^evolve: fold-2 of 2: /ms);
  const again = await evolve(['report', 'calm', '--json'], { cwd: folder.dir });
  expect(JSON.parse(again.stdout)).toEqual(report);
  const finished = await folds(['--folds', '2', '--out', 'calm', '--json']);
  expect(JSON.parse(finished.stdout)).toEqual(report);
  expect(finished.stderr).toMatch(/calm is finished/);
  expect(existsSync(at('calm/report.md'))).toBe(true);
});

test('killed, out of budget, interrupted and resumed, it is the same, and no known trial runs twice', async () => {
  const killed = await evolveHeld(
    [...SMALL, '--folds', '2', '--out', 'cut'],
    line('cut/fold-1', 12),
    (child) => void child.kill('SIGKILL'),
  );
  expect(killed.code).toBeNull();
  const spent = triedIn(at('calm/fold-1')).length + 5;
  const short = await evolve(['resume', 'cut', '--budget-trials', String(spent), '--json'], {
    cwd: folder.dir,
  });
  expect(short.code).toBe(3);
  // The budget is of all folds together: the first took its part of it.
  expect(JSON.parse(short.stdout)).toMatchObject({
    ...{ stop: 'budget-trials', gain: null, verdict: 'not measured', trials: { run: spent } },
    folds: [{ stop: 'finished' }, { stop: 'budget-trials' }],
  });
  // What it tells to give is enough for all that is left.
  const enough = Number(/`evolve resume cut --budget-trials (\d+)` goes on/.exec(short.stderr)?.[1]);
  const all = FOLDS.map((fold) => triedIn(at(`calm/${fold}`)).length).reduce((sum, n) => sum + n);
  expect(enough).toBeGreaterThanOrEqual(all);
  expect(enough).toBeLessThan(3 * all);
  const lines = eventsOf(at('cut/fold-2')).length;
  const stopped = await evolveHeld(
    ['resume', 'cut'],
    line('cut/fold-2', lines + 4),
    (child) => void child.kill('SIGINT'),
  );
  expect(stopped.code).toBe(130);
  expect((await folds(['--folds', '2', '--out', 'cut', '--quiet'])).code).toBe(0);
  for (const fold of FOLDS) {
    expect(differences(resultsOf(at(`calm/${fold}`)), resultsOf(at(`cut/${fold}`)))).toEqual([]);
    const tried = triedIn(at(`cut/${fold}`));
    expect(new Set(tried).size).toBe(tried.length);
  }
});

test('--dry-run tells the folds and what all of them take, and writes nothing', async () => {
  const before = folder.files().length;
  const { code, stdout } = await folds(['--folds', '2', '--dry-run', '--json']);
  expect(code).toBe(0);
  const plan = JSON.parse(stdout);
  const sealed = plan.folds.flatMap((fold: { sealed: string[] }) => fold.sealed);
  expect(sealed.sort()).toEqual([...TASKS].sort());
  const each = plan.folds.map((fold: { trials: { most: number } }) => fold.trials.most);
  expect(plan.trials.most).toBe(each[0] + each[1]);
  expect(plan.noVerdict).toMatch(/it takes 7/);
  expect(plan.warnings).toEqual(['in each fold there are no validation tasks, so no step can be credited']);
  const text = await folds(['--folds', '2', '--dry-run']);
  expect(text.stdout).toMatch(/^tasks +5, each sealed in one of 2 folds/m);
  expect(text.stdout).toMatch(/^fold-2 /m);
  expect(folder.files()).toHaveLength(before);
});

describe('refused, with what to do instead', () => {
  test.each([
    ['a suite without roles, and no folds', [], /no roles.*"role".*--folds K/],
    ['folds for a suite with roles', ['--folds', '2', '--suite', 'roles/suite'], /gives its tasks roles/],
    ['folds with control arms', ['--folds', '2', '--control', 'random'], /--control and --folds/],
    ['another number of folds', ['--folds', '3', '--out', 'calm'], /--folds was 2, is 3/],
    ['another seed', ['--folds', '2', '--seed', '4', '--out', 'calm'], /--seed was 3, is 4/],
    ['a folder of something else', ['--folds', '2', '--out', 'suite'], /not empty and holds no folds/],
    ['a budget for the first fold alone', ['--folds', '2', '--budget-trials', '9'], /for one generation/],
  ])('%s', async (_, more, line) => {
    const { code, stderr, stdout } = await folds(more);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('one of the folds by itself, and the folds as one run', async () => {
    const ask = (...args: string[]) => evolve(args, { cwd: folder.dir });
    expect((await ask('resume', 'calm/fold-1')).stderr).toMatch(/one of the folds of .*evolve resume/);
    expect((await ask('show', 'calm', 'champion')).stderr).toMatch(/holds the folds of a run.*fold-1/);
    const one = JSON.parse((await ask('report', 'calm/fold-1', '--json')).stdout);
    const sealed = one.tasks.filter(({ role }: { role: string }) => role === 'sealed');
    expect(sealed.every(({ distance }: { distance: string | null }) => distance !== null)).toBe(true);
  });
});
