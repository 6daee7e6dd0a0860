import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../src/commands/context.ts';
import { logs } from '../../src/commands/logs.ts';
import { trialLog } from '../../src/store/live.ts';
import { takeLock } from '../../src/store/lock.ts';
import { folder } from '../jobs/fixture.ts';

const identity = 'abcd00000000000000000000';
const trial = '0123456789abcdef';

/** A run whose only job has ended so, its output not kept yet; and what `evolve logs` prints of it. */
function runWith(kind: string) {
  const job = { identity, kind, trial, genome: 'g', task: 't', job: 1, hit: false, waitMs: 0, runMs: 1 };
  const dir = folder({ 'journal.jsonl': '', 'jobs.jsonl': `${JSON.stringify(job)}\n` });
  mkdirSync(join(dir, 'trials', trial), { recursive: true });
  const printed: string[] = [];
  const context = {
    print: (text: string) => printed.push(text),
    note: () => {},
    endOfWatching: () => new AbortController().signal,
  } as unknown as Context;
  const show = (name: string, flags = {}) => logs(dir, name, flags, context);
  const keep = () => {
    mkdirSync(dirname(trialLog(dir, trial, 1)), { recursive: true });
    writeFileSync(trialLog(dir, trial, 1), '$ node main.mjs\nwords\n');
  };
  return { dir, printed, show, keep };
}

test.each([
  ['abcd', {}],
  ['0123/1', {}],
  ['abcd', { follow: true }],
])('a job that has just ended: %s %j waits until the trial has kept what it printed', async (name, flags) => {
  const { dir, printed, show, keep } = runWith('done');
  const lock = await takeLock(dir);
  onTestFinished(() => lock.release());
  const shown = show(name, flags);
  await sleep(100);
  keep();
  expect(await shown).toBe(0);
  expect(printed).toEqual(['$ node main.mjs\nwords']);
});

test('of a run that nobody works on, or a job that was lost, nothing is waited for', async () => {
  const cut = runWith('done');
  await expect(cut.show('abcd')).rejects.toThrow('its trial has not written it');
  await expect(cut.show('0123/1')).rejects.toThrow('no job 1 with a log');
  const { dir, show } = runWith('lost');
  const lock = await takeLock(dir);
  onTestFinished(() => lock.release());
  await expect(show('abcd')).rejects.toThrow('it was lost');
  await expect(show('0123/1')).rejects.toThrow('no job 1 with a log');
});
