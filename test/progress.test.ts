import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startProgress } from '../src/progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Progress to a stream that is no terminal, and what it has written. */
function progress(underWay: () => { running: number; waiting: number; oldestMs: number }) {
  const written: string[] = [];
  const stream = {
    isTTY: false,
    write: (text: string) => written.push(text),
  } as unknown as NodeJS.WriteStream;
  const jobs = () => ({ run: 3, hits: 1 });
  const steady = { quiet: false, generations: 5, passed: 1, endTrials: 10, jobs, usd: () => 0 };
  return { shown: startProgress({ ...steady, stream, underWay, now: () => Date.now() }), written };
}

test('without a terminal, long jobs are told of every five minutes that nothing else is, until the end', () => {
  const { shown, written } = progress(() => ({ running: 2, waiting: 7, oldestMs: 3_600_000 }));
  shown.event({ type: 'planned', generation: 1, stage: 'first', trials: ['a', 'b', 'c'] });
  vi.advanceTimersByTime(299_000);
  expect(written).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(written).toEqual(['generation 2/5: 0 of 3 trials; 2 jobs running, 7 waiting; 5 min 0 s\n']);
  vi.advanceTimersByTime(200_000);
  shown.note('a word');
  vi.advanceTimersByTime(200_000);
  expect(written).toHaveLength(2);
  shown.close();
  vi.advanceTimersByTime(3_600_000);
  expect(written).toHaveLength(2);
});

test('jobs of an instant are not told of', () => {
  const { shown, written } = progress(() => ({ running: 2, waiting: 7, oldestMs: 400 }));
  vi.advanceTimersByTime(3_600_000);
  expect(written).toEqual([]);
  shown.close();
});
