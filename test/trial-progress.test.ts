import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { JobLive } from '../src/jobs/runner.ts';
import { startTrialProgress } from '../src/trial-progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function progress(trials: number, quiet = false) {
  const written: string[] = [];
  const stream = {
    isTTY: false,
    write: (text: string) => written.push(text),
  } as unknown as NodeJS.WriteStream;
  const jobs = () => ({ run: 0, hits: 0 });
  const shown = startTrialProgress({ stream, quiet, trials, jobs, usd: () => 0, now: () => Date.now() });
  const job = (identity: string, kind: 'waiting' | 'started' | 'ended') =>
    shown.job({ identity, asker: null, kind, gpus: 1, command: [], slot: '', outcome: 'done' } as JobLive);
  return { shown, written, job };
}

test('jobs that take long are told of with the trials, and every five minutes that nothing is done', () => {
  const { shown, written, job } = progress(2);
  job('a', 'waiting');
  job('b', 'waiting');
  job('a', 'started');
  vi.advanceTimersByTime(300_000);
  expect(written).toEqual(['evolve: 0 of 2 trials done; 1 job running, 1 waiting; 5 min 0 s\n']);
  job('a', 'ended');
  job('b', 'started');
  job('b', 'ended');
  shown.tried();
  expect(written.at(-1)).toBe('evolve: 1 of 2 trials done; 5 min 0 s\n');
  shown.close();
  vi.advanceTimersByTime(3_600_000);
  expect(written).toHaveLength(2);
});

test('a line for each tenth of the trials, and none when quiet', () => {
  const [many, quiet] = [progress(200), progress(200, true)];
  for (let i = 0; i < 200; i++) for (const { shown } of [many, quiet]) shown.tried();
  expect(many.written).toHaveLength(10);
  expect(many.written[0]).toBe('evolve: 20 of 200 trials done; 0 ms\n');
  expect(quiet.written).toEqual([]);
  many.shown.close();
});
