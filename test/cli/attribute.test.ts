import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attribute } from '../../src/commands/attribute.ts';
import type { Context } from '../../src/commands/context.ts';
import { finishedRun } from '../../src/commands/finished-run.ts';
import { prune } from '../../src/commands/prune.ts';
import { readConfig } from '../../src/config.ts';
import { UserError } from '../../src/errors.ts';
import { type Outcome, scoreOf, type TrialSpec } from '../../src/evaluation/trial.ts';
import type { RunIdentity } from '../../src/event.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { loadGenome } from '../../src/genome/load.ts';
import type { Attribution } from '../../src/report/attribution.ts';
import type { Pruned } from '../../src/report/pruned.ts';
import type { Given } from '../../src/settings.ts';
import { openFolds } from '../../src/store/folds.ts';
import { takeLock } from '../../src/store/lock.ts';
import { foldSuite } from '../../src/suite/folds.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { baseline, endedRun } from '../fixtures/ended-run.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { IDENTITY } from '../store/events.ts';
import { emptyFolder, evolve, evolveHeld } from './evolve.ts';

const champion = plainGenome({
  sampling: { ...baseline.sampling, temperature: 0.5 },
  rules: {
    ...baseline.rules,
    check: { when: 'before-submit', text: 'Check the file before you submit it.' },
  },
});
const OFFLINE = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };
/** Two genes, champion and baseline on three tasks, two repeats. */
const TRIALS = 4 * 3 * 2;

let folder: ReturnType<typeof emptyFolder>;
const at = (...names: string[]) => path.join(folder.dir, ...names);
const LOOK = ['--repeats', '2', '--workers', '2'];
const look = (args: string[]) => evolve([...args, ...LOOK], { cwd: folder.dir, env: OFFLINE });
const linesOf = (run: string) => readFileSync(at(run, 'attribution.jsonl'), 'utf8').trimEnd().split('\n');

/** Mean score of `one` − that of `other` over task means, from the lines of the run `calm`, between these repeats. */
function differenceOf(one: string, other: string, from: number, to: number): number {
  const lines = linesOf('calm').map((line) => JSON.parse(line) as { trial: TrialSpec; outcome: Outcome });
  const within = lines.filter(({ trial }) => trial.repeat >= from && trial.repeat < to);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const scoreOn = (genome: string, task: string) =>
    mean(
      within
        .filter(({ trial }) => trial.genome === genome && trial.task === task)
        .map(({ outcome }) => scoreOf(outcome)!),
    );
  return mean(['s1', 's2', 'v1'].map((task) => scoreOn(one, task) - scoreOn(other, task)));
}

let calm: Awaited<ReturnType<typeof look>>;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2', 'v1', 'n1'], turns: 8, jobs: 3 });
  for (const run of ['calm', 'cut', 'plain']) await endedRun(folder.dir, run, champion);
  await endedRun(folder.dir, 'open', champion, { ended: false });
  await endedRun(folder.dir, 'same', baseline);
  calm = await look(['attribute', 'calm', '--json']);
});
afterAll(() => folder.remove());

describe('evolve attribute', () => {
  test('puts each gene back by itself, on fresh repeats of search and validation tasks alone', async () => {
    expect(calm.code).toBe(0);
    const found = JSON.parse(calm.stdout) as Attribution;
    expect(found.genes.map(({ genes }) => genes.map((gene) => gene.path)).sort()).toEqual([
      ['rules.check'],
      ['sampling.temperature'],
    ]);
    expect(found).toMatchObject({ repeats: 2, tasks: { search: 2, validation: 1 } });
    expect(found.trials).toEqual({ planned: TRIALS, lost: 0 });
    expect(found.total).toMatchObject({ tasks: 3, pairs: 6 });
    for (const { active, effect, without } of found.genes) {
      expect(active).toBeGreaterThan(0);
      expect(effect.mean).toBeCloseTo(differenceOf(found.champion, without, 1e9, 1e9 + 2), 9);
    }
    expect(found.total.mean).toBeCloseTo(differenceOf(found.champion, found.baseline, 1e9, 1e9 + 2), 9);
    const trials = linesOf('calm').map((line) => JSON.parse(line).trial);
    expect(new Set(trials.map(({ id }) => id)).size).toBe(TRIALS);
    expect(new Set(trials.map(({ role }) => role))).toEqual(new Set(['search', 'validation']));
    expect(Math.min(...trials.map(({ repeat }) => repeat))).toBeGreaterThanOrEqual(1_000_000_000);
    expect(calm.stderr).toMatch(/4 genomes × 3 tasks × 2 repeats: 24 trials/);
  });

  test('asked again it only prints, and the report shows it', async () => {
    const again = await look(['attribute', 'calm', '--json', '--quiet']);
    expect(again).toMatchObject({ code: 0, stdout: calm.stdout, stderr: '' });
    expect(linesOf('calm')).toHaveLength(TRIALS);
    expect((await evolve(['report', 'calm'], { cwd: folder.dir })).stdout).toMatch(/What carried the gain/);
    expect(readFileSync(at('calm/report.md'), 'utf8')).toMatch(/## What carried the gain\n[^#]*rules\.check/);
  });

  test('cut by Ctrl-C it keeps its trials and goes on to the same figures', async () => {
    const stopped = await evolveHeld(
      ['attribute', 'cut', ...LOOK],
      { cwd: folder.dir, file: 'cut/attribution.jsonl', lines: 3, env: OFFLINE },
      (child) => void child.kill('SIGINT'),
    );
    expect(stopped).toMatchObject({ code: 130, stdout: '' });
    expect(stopped.stderr).toMatch(/the same command goes on/);
    const before = linesOf('cut');
    expect(before.length).toBeGreaterThanOrEqual(3);
    const after = await look(['attribute', 'cut', '--json']);
    expect(after).toMatchObject({ code: 0, stdout: calm.stdout });
    expect(linesOf('cut').slice(0, before.length)).toEqual(before);
    expect(linesOf('cut')).toHaveLength(TRIALS);
  });

  test('--dry-run says the cost and touches nothing', async () => {
    const before = folder.files();
    const { code, stdout } = await look(['attribute', 'plain', '--dry-run', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ genomes: 4, tasks: 3, repeats: 2, trials: TRIALS });
    expect(folder.files()).toEqual(before);
  });
});

describe('evolve prune', () => {
  test('writes a champion that has nothing which the champion has not, checked on fresh repeats', async () => {
    const { code, stdout } = await look(['prune', 'calm', '--json', '--margin', '1']);
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as Pruned;
    // No loss is above 1, so nothing stays but what measurably carries the gain.
    expect(found.out.length + found.kept.length).toBe(2);
    for (const { effect } of found.kept) expect(effect.ci95[0]).toBeGreaterThan(0);
    expect(found.checks).toHaveLength(found.out.length > 0 ? 1 : 0);
    for (const check of found.checks) {
      expect(check).toMatchObject({ repeats: 4, tasks: 3, pairs: 12 });
      expect(check.mean).toBeCloseTo(differenceOf(found.genome, found.champion, 1e9 + 10_000, 2e9), 9);
    }
    expect(genomeId(await loadGenome(at('calm/pruned')))).toBe(found.genome);
    const again = await look(['prune', 'calm', '--json', '--margin', '1']);
    expect(again).toMatchObject({ code: 0, stdout });
  });

  test('overwrites nothing', async () => {
    mkdirSync(at('mine'));
    writeFileSync(at('mine/notes.txt'), 'mine');
    const { code, stderr } = await look(['prune', 'plain', '--out', 'mine']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/mine is there already, and is not overwritten; give a new folder by --out/);
    expect(readFileSync(at('mine/notes.txt'), 'utf8')).toBe('mine');
    expect(existsSync(at('plain/attribution.jsonl'))).toBe(false);
  });
});

describe('both refuse', () => {
  const silent: Context = {
    interruption: () => new AbortController().signal,
    endOfWatching: () => new AbortController().signal,
    print() {},
    note() {},
  };
  const refused = async (args: [string, Given?], line: RegExp) => {
    const [run, flags = {}] = args;
    for (const command of [attribute, prune]) {
      const refusal = command(at(run), flags, silent).catch((error) => error);
      expect(await refusal).toBeInstanceOf(UserError);
      expect((await refusal).message).toMatch(line);
    }
  };

  test.each<[[string, Given?], RegExp]>([
    [['nowhere'], /there is no run .*nowhere/],
    [['suite'], /suite is not a run/],
    [['open'], /open has not ended: its champion is not chosen yet/],
    [['same'], /the champion of .*same is the baseline itself/],
    [['plain', { repeats: '0' }], /--repeats must be a whole number/],
    [['plain', { suite: 'nowhere' }], /nowhere/],
  ])('%j', async (args, line) => {
    await refused(args, line);
    expect(existsSync(at('plain/attribution.jsonl'))).toBe(false);
  });

  test('a suite that is not what it was', async () => {
    const answers = at('suite/tasks/s1/prepared/private/answers.csv');
    const text = readFileSync(answers, 'utf8');
    writeFileSync(answers, text.replace(/,(-?)\d/, ',$19'));
    await refused(['plain'], /suite is not the suite that .*plain ran on/);
    writeFileSync(answers, text);
  });

  test('a run that another process writes', async () => {
    const lock = await takeLock(at('plain'));
    await refused(['plain'], /is being written by process/);
    lock.release();
  });

  test('a margin that is none', async () => {
    await expect(prune(at('plain'), { margin: '2' }, silent)).rejects.toThrow(/--margin must be a number/);
  });
});

test('a task that the run left out as unfit is left out here too', async () => {
  await endedRun(folder.dir, 'fit', champion, { leftOut: ['s1: all that know nothing score alike'] });
  const { tasks } = await finishedRun(at('fit'), {});
  expect(tasks.map(({ id }) => id)).toEqual(['s2', 'v1']);
});

test('of a run with folds it takes one, and never what is sealed in that', async () => {
  const around = at('around');
  await smallWorld(around);
  const file = path.join(around, 'suite/suite.json');
  const suite = JSON.parse(readFileSync(file, 'utf8'));
  const tasks = suite.tasks.map(({ id }: { id: string }) => ({ id }));
  writeFileSync(file, JSON.stringify({ ...suite, tasks }));
  const roleless = await loadSuite(path.join(around, 'suite'));
  const folds = foldSuite(roleless, 2, 7);
  const config = await readConfig({ suite: roleless.dir });
  const identity: RunIdentity = { ...IDENTITY, seed: 7, suite: suite.name, suiteHash: roleless.hash };
  (await openFolds(path.join(around, 'run'), config, identity, folds)).close();
  for (const fold of folds) {
    await endedRun(path.join(around, 'run'), fold.name, champion, { fold });
    const found = await finishedRun(path.join(around, 'run', fold.name), {});
    const open = fold.suite.tasks.filter(({ role }) => role !== 'sealed').map(({ id }) => id);
    expect(found.tasks.map(({ id }) => id)).toEqual(open);
    expect(open.length).toBeLessThan(tasks.length);
  }
  await expect(finishedRun(path.join(around, 'run'), {})).rejects.toThrow(/holds 2 searches/);
});
