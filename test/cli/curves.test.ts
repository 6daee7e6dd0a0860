import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { emptyFolder, evolve, evolveHeld } from './evolve.ts';
import { decisionsOf, differences, eventsOf, resultsOf, triedIn } from './journal.ts';

const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '6', '--generations', '3', '--seed', '3'],
  ...['--first-tasks', '1'],
  ...['--finalists', '2', '--final-repeats', '3', '--sealed-repeats', '5', '--unsafe-no-sandbox'],
];

let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, name);
const search = (out: string, more: string[] = []) =>
  evolve([...SMALL, '--out', out, ...more], { cwd: folder.dir });

type Job = { trial: string; identity: string; kind: string; hit: boolean };
/** What became of the jobs of a run, as its log has it. */
const jobsOf = (run: string): Job[] =>
  readFileSync(at(`${run}/jobs.jsonl`), 'utf8')
    .split('\n')
    .flatMap((line) => (line.includes('"identity"') ? [JSON.parse(line) as Job] : []));
const stoppedIn = (run: string) =>
  [
    ...new Set(
      jobsOf(run).flatMap(({ kind, trial, identity }) => (kind === 'pruned' ? [`${trial} ${identity}`] : [])),
    ),
  ].sort();

/** The run that nothing happens to; the others are compared with it. */
let calm: Awaited<ReturnType<typeof search>>;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 'v1', 'n1'], curves: true });
  calm = await search('calm', ['--json', '--workers', '2']);
});
afterAll(() => folder.remove());

test('jobs of search trials are stopped early, none on validation and sealed tasks, and the report tells of it', () => {
  expect(calm).toMatchObject({ code: 0 });
  const trials = new Map(
    eventsOf(at('calm')).flatMap((event) => (event.type === 'tried' ? [[event.trial.id, event.trial]] : [])),
  );
  const stopped = jobsOf('calm').filter(({ kind }) => kind === 'pruned');
  expect(stopped.length).toBeGreaterThan(3);
  for (const { trial } of stopped)
    expect(trials.get(trial)).toMatchObject({ role: 'search', curves: expect.any(String) });
  for (const { role, curves } of trials.values()) if (role !== 'search') expect(curves).toBeUndefined();
  const { pruning } = JSON.parse(calm.stdout);
  expect(pruning.stopped.jobs).toBe(stopped.filter(({ hit }) => !hit).length);
  expect(readFileSync(at('calm/report.md'), 'utf8')).toMatch(
    /\d+ stopped early, after .+; \d+ whole ones took/,
  );
});

test('the agent is told, and its log ends at the point that decided', () => {
  const { trial } = jobsOf('calm').find(({ kind }) => kind === 'pruned')!;
  const trajectory = readFileSync(at(`calm/trials/${trial}/trajectory.json`), 'utf8');
  expect(trajectory).toMatch(
    /"value\\":[\d.]+}\\nerror: stopped early: earlier runs had done better by then/,
  );
});

test('one worker or four, no cache: the same journal, and the same jobs stopped', async () => {
  expect((await search('one', ['--workers', '1', '--concurrency', '1', '--quiet'])).code).toBe(0);
  expect((await search('four', ['--workers', '4', '--concurrency', '16', '--no-job-cache'])).code).toBe(0);
  for (const run of ['one', 'four']) {
    expect(differences(decisionsOf(at('calm')), decisionsOf(at(run)))).toEqual([]);
    expect(stoppedIn(run)).toEqual(stoppedIn('calm'));
  }
});

test('killed again and again and resumed, it is the same run, with the same jobs stopped', async () => {
  const lines = eventsOf(at('calm')).length;
  for (const share of [0.2, 0.4, 0.6, 0.9]) {
    const file = 'killed/journal.jsonl';
    await evolveHeld(
      [...SMALL, '--out', 'killed', '--no-job-cache'],
      { cwd: folder.dir, file, lines: Math.round(share * lines) },
      (child) => void child.kill('SIGKILL'),
    );
  }
  expect((await search('killed', ['--no-job-cache'])).code).toBe(0);
  expect(differences(resultsOf(at('calm')), resultsOf(at('killed')))).toEqual([]);
  const tried = triedIn(at('killed'));
  expect(new Set(tried).size).toBe(tried.length);
  // The log of jobs loses what was not yet written at a kill; what it has is the same.
  expect(stoppedIn('calm')).toEqual(expect.arrayContaining(stoppedIn('killed')));
  const left = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  expect(left.filter((line) => line.includes(folder.dir) && !line.includes('ps -eo'))).toEqual([]);
});
