import { expect, test } from 'vitest';
import { activeChanges } from '../../src/selection/activation.ts';

const active = (changes: string[], own: string[], other: string[] = []) =>
  activeChanges(changes, new Set(own), new Set(other));

test('a rule or skill counts where it was active, on either side', () => {
  const changes = ['rules.added', 'rules.removed', 'skills.read', 'skills.unread'];
  expect(active(changes, ['rules.added', 'skills.read'], ['rules.removed'])).toEqual([
    'rules.added',
    'rules.removed',
    'skills.read',
  ]);
  expect(active(changes, ['rules.other', 'loop', 'memory'])).toEqual([]);
});

test('loop guard and memory count as a whole, where they acted on either side', () => {
  const changes = ['loop.window', 'loop.action', 'memory.notes'];
  expect(active(changes, ['loop'])).toEqual(['loop.window', 'loop.action']);
  expect(active(changes, [], ['memory'])).toEqual(['memory.notes']);
  expect(active(changes, ['rules.loop'], ['rules.memory'])).toEqual([]);
});

test('what every call and turn is made by counts always, and what does nothing never', () => {
  const changes = ['sampling.temperature', 'tools.run', 'limits.turns', 'mcp.search'];
  expect(active(changes, [])).toEqual(['sampling.temperature', 'tools.run', 'limits.turns']);
});

test('only what changed counts', () => {
  expect(active(['rules.a'], ['rules.a', 'rules.b', 'loop'])).toEqual(['rules.a']);
});
