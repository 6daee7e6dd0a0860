import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Event } from '../src/event.ts';
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

test('a search that ends before all its generations has none left to wait for', () => {
  const { shown, written } = progress(() => ({ running: 0, waiting: 0, oldestMs: 0 }));
  const trial = (id: string): Event => ({
    ...{ type: 'tried', generation: 1, outcome: { kind: 'lost', reason: '' } },
    trial: { id, genome: 'g', task: 't', role: 'search', repeat: 1, seed: 1 },
  });
  shown.event({ type: 'planned', generation: 1, stage: 'first', trials: ['a'] });
  vi.advanceTimersByTime(10_000);
  shown.event(trial('a'));
  const barrier = { generation: 1, estimates: {}, survivors: [], lessonRecords: {}, operators: {} };
  shown.event({ type: 'generation', ...barrier });
  shown.event({ type: 'planned', generation: 2, stage: 'finals', trials: ['b', 'c'] });
  // Ten trials follow the last generation, at ten seconds each.
  expect(written.at(-1)).toContain('about 1 min 40 s left');
  shown.close();
});

test('claims have one line when they are named, however often their evidence is looked at', () => {
  const { shown, written } = progress(() => ({ running: 0, waiting: 0, oldestMs: 0 }));
  const claim = { kind: 'step' as const, candidate: 'c', against: 'a', alpha: 0.01, from: 0, passes: 9 };
  shown.event({ type: 'claimed', claims: [1, 2].map((number) => ({ number, ...claim })) });
  for (let look = 0; look < 3; look++) {
    shown.event({ type: 'planned', generation: 5, stage: 'validation', trials: ['a', 'b'] });
  }
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^validation tasks: 2 claims are tested; about .* left\n$/);
  shown.close();
});

test('no line is wider than 110 columns, however long the run and what is said of it', () => {
  const { shown, written } = progress(() => ({ running: 0, waiting: 0, oldestMs: 0 }));
  const estimate = { n: 8, sum: 1, squares: 1, score: 0.5, repeats: 1, shrunk: -0.1, error: 0.05 };
  const barrier = { survivors: [], lessonRecords: {}, operators: {} };
  shown.event({ type: 'planned', generation: 1, stage: 'first', trials: Array(1234).fill('a') });
  vi.advanceTimersByTime(47 * 60_000 + 59_000);
  shown.event({ type: 'generation', generation: 1, estimates: { a: estimate, b: estimate }, ...barrier });
  expect(written.join('')).toMatch(
    /^generation 2\/5: 0 trials, best 0\.500 \(−0\.100\), median 0\.500; \$0\.00, 47 /,
  );
  shown.note(`evolve: warning: ${'what nobody reads to its end '.repeat(20)}`);
  const lines = written.join('').trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(110);
  // What goes on is indented, and nothing is lost.
  expect(lines.filter((line) => line.startsWith('  ')).length).toBeGreaterThan(3);
  expect(lines.join(' ').match(/reads\s+to\s+its\s+end/g)).toHaveLength(20);
  shown.close();
});
