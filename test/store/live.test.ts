import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { knownJobs } from '../../src/commands/find-job.ts';
import { protect } from '../../src/secrets.ts';
import { type LiveBoard, liveLog, openLive, readLive, trialLog } from '../../src/store/live.ts';
import { takeLock } from '../../src/store/lock.ts';

let dir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
  const lock = await takeLock(dir);
  onTestFinished(() => {
    lock.release();
    rmSync(dir, { recursive: true, force: true });
  });
});

function open(everyMs = 20): LiveBoard {
  const board = openLive(dir, { usage: () => ({ busy: 1, slots: 2 }), everyMs });
  onTestFinished(() => board.close());
  return board;
}

const asker = (job: number) => ({ trial: 't1', genome: 'g1', task: 's1', job });
const waits = (board: LiveBoard, identity: string, job = 1) =>
  board.news({ identity, asker: asker(job), kind: 'waiting', gpus: 1, command: ['node', 'main.mjs'] });
const starts = (board: LiveBoard, identity: string, job = 1) =>
  board.news({ identity, asker: asker(job), kind: 'started', slot: 'GPU-1' });
const tells = (board: LiveBoard, identity: string, text: string, job = 1) =>
  board.news({ identity, asker: asker(job), kind: 'output', text });
const ends = (board: LiveBoard, identity: string, outcome: 'done' | 'lost' = 'done', job = 1) =>
  board.news({ identity, asker: asker(job), kind: 'ended', outcome });

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('news are gathered: live.json is replaced when something has changed, and not for each', async () => {
  const board = open(50);
  for (let i = 0; i < 1000; i++) waits(board, `j${i}`, i);
  starts(board, 'j7', 7);
  expect(existsSync(join(dir, 'live.json'))).toBe(false);
  await until(() => readLive(dir) !== null);
  const live = readLive(dir)!;
  expect(live.slots).toEqual({ busy: 1, slots: 2 });
  expect(live.jobs).toHaveLength(1000);
  expect(live.jobs.filter(({ slot }) => slot !== null)).toMatchObject([
    { identity: 'j7', asker: asker(7), command: 'node main.mjs', gpus: 1, slot: 'GPU-1' },
  ]);
  const before = statSync(join(dir, 'live.json')).ino;
  for (let i = 0; i < 100; i++) tells(board, 'j7', 'a line\n', 7);
  waits(board, 'short');
  ends(board, 'short');
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(statSync(join(dir, 'live.json')).ino).toBe(before);
  expect(board.underWay()).toMatchObject({ running: 1, waiting: 999 });
});

test('what a job prints stands there, without keys and at most 1 MB, until the trial has its log', async () => {
  const key = 'sk-live-7Hq2Zt9Lw';
  process.env.LIVE_TEST_KEY = key;
  protect([]);
  onTestFinished(() => void delete process.env.LIVE_TEST_KEY);
  const board = open();
  waits(board, 'j1');
  starts(board, 'j1');
  expect(existsSync(liveLog(dir, 'j1'))).toBe(false);
  tells(board, 'j1', `one ${key}\n`);
  tells(board, 'j1', 'two\n');
  expect(readFileSync(liveLog(dir, 'j1'), 'utf8')).toBe('one [LIVE_TEST_KEY]\ntwo\n');
  for (let i = 0; i < 30; i++) tells(board, 'j1', `${'x'.repeat(99_999)}\n`);
  expect(statSync(liveLog(dir, 'j1')).size).toBe(2 ** 20);
  ends(board, 'j1');
  await until(() => readLive(dir)?.jobs.length === 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(existsSync(liveLog(dir, 'j1'))).toBe(true);
  mkdirSync(dirname(trialLog(dir, 't1', 1)), { recursive: true });
  writeFileSync(trialLog(dir, 't1', 1), 'one\ntwo\n');
  await until(() => !existsSync(liveLog(dir, 'j1')));
});

test('of a job that is lost nothing is kept, and one that is asked for again begins anew', () => {
  const board = open();
  waits(board, 'j1');
  tells(board, 'j1', 'first\n');
  ends(board, 'j1', 'lost');
  expect(existsSync(liveLog(dir, 'j1'))).toBe(false);
  waits(board, 'j1');
  tells(board, 'j1', 'second\n');
  ends(board, 'j1');
  waits(board, 'j1', 2);
  tells(board, 'j1', 'third\n', 2);
  expect(readFileSync(liveLog(dir, 'j1'), 'utf8')).toBe('third\n');
});

test('the end takes all of it away, and the beginning what a killed process left', async () => {
  mkdirSync(join(dir, 'live'));
  writeFileSync(liveLog(dir, 'old'), 'old');
  writeFileSync(join(dir, 'live.json'), JSON.stringify({ slots: { busy: 9, slots: 9 }, jobs: [] }));
  const board = open();
  expect(readLive(dir)).toBeNull();
  expect(existsSync(liveLog(dir, 'old'))).toBe(false);
  waits(board, 'j1');
  tells(board, 'j1', 'words\n');
  await until(() => readLive(dir) !== null);
  await board.close();
  tells(board, 'j3', 'late\n');
  waits(board, 'j2');
  expect(readdirSync(dir)).toEqual(['lock']);
});

test('where no process has the lock, nothing is under way', async () => {
  writeFileSync(join(dir, 'live.json'), JSON.stringify({ slots: { busy: 1, slots: 1 }, jobs: [] }));
  expect(readLive(dir)).not.toBeNull();
  rmSync(join(dir, 'lock'));
  expect(readLive(dir)).toBeNull();
});

test('a folder that cannot be written shows nothing and harms nothing', () => {
  const board = open();
  rmSync(dir, { recursive: true });
  writeFileSync(dir, 'a file');
  waits(board, 'j1');
  tells(board, 'j1', 'words\n');
  ends(board, 'j1', 'lost');
  rmSync(dir);
  mkdirSync(dir);
});

test('a job whose first asker has left is under way, and what it printed is not kept for ever', async () => {
  const board = open();
  waits(board, 'j1');
  starts(board, 'j1');
  tells(board, 'j1', 'a line\n');
  await until(() => readLive(dir) !== null);
  const left = { kind: 'cancelled', trial: 't1', job: 1, identity: 'j1', at: new Date().toISOString() };
  writeFileSync(join(dir, 'jobs.jsonl'), `${JSON.stringify(left)}\n`);
  expect((await knownJobs(dir)).live).toMatchObject([{ identity: 'j1' }]);
  ends(board, 'j1');
  await until(() => !existsSync(liveLog(dir, 'j1')));
});
