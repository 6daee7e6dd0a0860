import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { parseDuration } from '../src/settings.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'evolve-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('without flags, every setting has its default', async () => {
  const config = await readConfig({});
  expect(config).toMatchObject({ population: 16, generations: 50, seed: 1, model: 'offline', out: null });
  expect(config).toMatchObject({ budgetTrials: null, maxTimeMs: null, jobCache: true });
  expect(config.concurrency).toBe(4 * config.workers);
});

test('flags win over the file, the file over the defaults', async () => {
  const file = path.join(dir, 'run.yaml');
  writeFileSync(file, 'population: 8\ngenerations: 5\nbudget-trials: 100\nmaxTime: 30m\njob-cache: false\n');
  const config = await readConfig({ config: file, population: '4' });
  expect(config).toMatchObject({ population: 4, generations: 5, budgetTrials: 100, maxTimeMs: 1_800_000 });
  expect(config).toMatchObject({ jobCache: false, seed: 1 });
});

test('a file of the settings under `search`, as a run keeps them', async () => {
  const file = path.join(dir, 'run.json');
  writeFileSync(file, JSON.stringify({ population: 8, search: { elites: 2, finalRepeats: 5 } }));
  const config = await readConfig({ config: file });
  expect(config.search).toMatchObject({ elites: 2, finalRepeats: 5, sealedRepeats: 5 });
});

test('elites and tournament fit a small population by default', async () => {
  const { search } = await readConfig({ population: '2' });
  expect(search).toMatchObject({ elites: 1, tournament: 2 });
});

test('a run that is resumed keeps its settings, but not its limits', async () => {
  const stored = await readConfig({
    population: '4',
    seed: '9',
    'budget-trials': '10',
    'jobs-per-gpu': '2',
    elites: '2',
    out: 'runs/x',
  });
  const config = await readConfig({ generations: '60' }, stored);
  expect(config).toEqual({ ...stored, generations: 60, budgetTrials: null });
});

test('where jobs run, and how a cluster is used, hold on resume, and a later file says more', async () => {
  const file = path.join(dir, 'run.yaml');
  writeFileSync(
    file,
    'jobs: slurm\nslurm: {partition: gpu, at-once: 8, poll: 10s, maxPause: 2h, extra: [--nice=100]}\n',
  );
  const stored = await readConfig({ config: file });
  expect(stored).toMatchObject({ jobs: 'slurm', slurm: { partition: 'gpu', account: null, gres: 'gpu' } });
  expect(stored.slurm).toMatchObject({
    atOnce: 8,
    pollMs: 10_000,
    maxPauseMs: 7_200_000,
    extra: ['--nice=100'],
  });
  writeFileSync(file, 'slurm: {account: lab, margin: 5m}\n');
  const later = await readConfig({ config: file }, stored);
  expect(later).toMatchObject({
    jobs: 'slurm',
    slurm: { ...stored.slurm, account: 'lab', marginSeconds: 300 },
  });
  expect(await readConfig({ jobs: 'local' }, stored)).toMatchObject({ jobs: 'local', slurm: stored.slurm });
});

test.each([
  [{ jobs: 'slrum' }, '--jobs cannot be \'slrum\' (did you mean "slurm"?)'],
  ['slurm: {partion: gpu}', 'slurm.partion is unknown (did you mean "partition"?)'],
  ['slurm: gpu', 'slurm must be an object'],
  ['slurm: {at-once: 0}', 'slurm.at-once is 0, outside 1'],
  ['slurm: {poll: 5}', 'slurm.poll must be a text'],
  ['slurm: {poll: 5ms}', 'slurm.poll is 5ms, outside 200ms to 600s'],
  ['slurm: {partition: "--wrap=id"}', 'slurm.partition must be a name'],
  ['slurm: {extra: ["-n 2"]}', 'slurm.extra.0 must be one option, such as --nice=100'],
  ['slurm: {extra: [--export=ALL]}', 'slurm.extra.0 is --export=ALL, and --export is set by evolve itself'],
  ['slurm: {extra: [--nice=1, --exp=ALL]}', 'slurm.extra.1 is --exp=ALL, and --export is set by evolve'],
])('a cluster that is told wrongly is refused: %s', async (given, message) => {
  const file = path.join(dir, 'run.yaml');
  if (typeof given === 'string') writeFileSync(file, given);
  const flags = typeof given === 'string' ? { config: file } : given;
  await expect(readConfig(flags)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(message),
  });
});

test('durations', () => {
  expect(['90s', '30m', '2h', '1.5h', '2d', '500ms'].map(parseDuration)).toEqual([
    90_000, 1_800_000, 7_200_000, 5_400_000, 172_800_000, 500,
  ]);
  expect(['30', 'm', '-1m', '1 m', '1h30m', ''].map(parseDuration)).toEqual(Array(6).fill(null));
});

test('a list is a list however many stand in it, in the order of the table, and nothing else stands in it', async () => {
  expect((await readConfig({ without: 'racing' })).search.without).toEqual(['racing']);
  const config = await readConfig({ without: 'racing, memory', control: 'chain,random' });
  expect(config.search.without).toEqual(['memory', 'racing']);
  expect(config.control).toEqual(['random', 'chain']);
  const file = path.join(dir, 'run.yaml');
  writeFileSync(file, 'without: [typed-steps, memory]\nstrategy: chain\n');
  const { search } = await readConfig({ config: file });
  expect(search).toMatchObject({ without: ['memory', 'typed-steps'], strategy: 'chain' });
  await expect(readConfig({ without: 'memory,raceing' })).rejects.toThrow("'raceing'");
  await expect(readConfig({ without: ',' })).rejects.toThrow('empty');
});

test('a part that a strategy does not have cannot be left out of it', async () => {
  for (const strategy of ['chain', 'random']) {
    for (const part of ['racing', 'tournament', 'crossover']) {
      await expect(readConfig({ strategy, without: `memory,${part}` })).rejects.toMatchObject({
        message: `--without ${part} would change nothing: a search by --strategy ${strategy} has no such part`,
        hint: `of --strategy ${strategy} these can be left out: memory, llm-edits, typed-steps`,
      });
    }
    for (const without of ['memory', 'llm-edits', 'typed-steps'])
      expect((await readConfig({ strategy, without })).search.without).toEqual([without]);
  }
  // A run that was begun so can be resumed.
  const begun = await readConfig({ strategy: 'chain' });
  const stored = { ...begun, search: { ...begun.search, without: ['racing' as const] } };
  expect((await readConfig({ generations: '9' }, stored)).search.without).toEqual(['racing']);
});

test('a flag for a part that the search does not have is refused; in a file it may stand for other searches', async () => {
  const flags = { tournament: '2', 'first-tasks': '2', elites: '2' };
  for (const strategy of ['chain', 'random']) {
    for (const [name, value] of Object.entries(flags)) {
      await expect(readConfig({ strategy, [name]: value })).rejects.toMatchObject({
        message: expect.stringMatching(
          `^--${name} 2 would change nothing: a search by --strategy ${strategy} `,
        ),
        hint: `leave --${name} out`,
      });
    }
    const file = path.join(dir, 'several.yaml');
    writeFileSync(file, `strategy: ${strategy}\ntournament: 2\nfirst-tasks: 2\nelites: 2\n`);
    expect((await readConfig({ config: file })).search).toMatchObject({ strategy });
  }
  await expect(readConfig({ tournament: '2', without: 'tournament' })).rejects.toThrow(
    '--tournament 2 would change nothing: --without tournament',
  );
  await expect(readConfig({ 'first-tasks': '2', without: 'racing' })).rejects.toThrow('--without racing');
  expect((await readConfig({ ...flags, without: 'memory' })).search).toMatchObject({
    ...{ tournament: 2, firstTasks: 2, elites: 2 },
  });
});
