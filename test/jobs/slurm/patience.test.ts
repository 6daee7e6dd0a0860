import { expect, test } from 'vitest';
import { patience } from '../../../src/jobs/slurm/patience.ts';

test('waits longer each time, up to a minute, until it was too long; says it once, and that it is over', () => {
  const said: string[] = [];
  const it = patience(5000, 600_000, (line) => said.push(line));
  const waits: number[] = [];
  let now = 1000;
  for (let wait = it.failed(now, 'no route'); wait !== null; wait = it.failed(now, 'no route')) {
    waits.push(wait);
    now += wait;
  }
  expect(waits.slice(0, 6)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(now).toBe(601_000);
  expect(said).toHaveLength(1);
  expect(it.away()).toBe(true);
  it.answered(now);
  it.answered(now);
  expect(it.away()).toBe(false);
  expect(said).toHaveLength(2);
  expect(it.failed(now, 'again')).toBe(5000);
});
