import { expect, test } from 'vitest';
import { loopGuard } from '../../src/agent/loop-guard.ts';

test('a step that comes again within the window is a repeat; one alarm a loop', () => {
  const guard = loopGuard({ action: 'warn', window: 3, similarity: 0.9 });
  const steps = ['train {} error', 'read a', 'train {} error', 'train {} error', 'train {} error'];
  expect(steps.map((step) => guard.repeats(step))).toEqual([false, false, true, false, true]);
});

test('what lies before the window is forgotten', () => {
  const guard = loopGuard({ action: 'warn', window: 2, similarity: 1 });
  expect(['a', 'b', 'c', 'a'].map((step) => guard.repeats(step))).toEqual([false, false, false, false]);
});

test('similarity is the share of words in common', () => {
  const alike = (similarity: number) => {
    const guard = loopGuard({ action: 'stop', window: 4, similarity });
    guard.repeats('one two three four');
    return guard.repeats('one two three five');
  };
  expect(alike(0.6)).toBe(true);
  expect(alike(0.61)).toBe(false);
});

test('off never speaks', () => {
  const guard = loopGuard({ action: 'off', window: 4, similarity: 0.5 });
  expect(['a', 'a', 'a'].some((step) => guard.repeats(step))).toBe(false);
});
