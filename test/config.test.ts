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
    elites: '2',
    out: 'runs/x',
  });
  const config = await readConfig({ generations: '60' }, stored);
  expect(config).toEqual({ ...stored, generations: 60, budgetTrials: null });
});

test('durations', () => {
  expect(['90s', '30m', '2h', '1.5h', '2d', '500ms'].map(parseDuration)).toEqual([
    90_000, 1_800_000, 7_200_000, 5_400_000, 172_800_000, 500,
  ]);
  expect(['30', 'm', '-1m', '1 m', '1h30m', ''].map(parseDuration)).toEqual(Array(6).fill(null));
});
