import { expect, test } from 'vitest';
import type { Llm } from '../../src/llm/llm.ts';
import type { Shown } from '../../src/variation/evidence.ts';
import { focusOf } from '../../src/variation/focus.ts';
import { plainWorld, runWorld, scriptedModel } from '../fixtures/synthetic-world.ts';
import { trajectory } from '../fixtures/trajectory.ts';

const worst = Array.from(
  { length: 6 },
  (_, i): Shown => ({
    task: `t${i}`,
    score: 0,
    baseline: 1,
    outcome: { kind: 'lost', reason: '' },
    trajectory: trajectory(),
  }),
);
const tasks = (shown: readonly Shown[]) => shown.map(({ task }) => task);

test('siblings are told to look at different things, with trials to read and without', () => {
  for (const pool of [worst, []]) {
    const texts = Array.from({ length: 64 }, (_, slot) => focusOf(1, 2, slot, pool).text);
    expect(new Set(texts).size).toBe(64);
    const angles = texts
      .slice(4, 15)
      .map((text) => /Look first at (?:the trial.*? at )?(.*)\. Go/.exec(text)![1]);
    expect(new Set(angles).size).toBe(11);
  }
});

test('three of the worst trials are read, each of them by some, the first one named', () => {
  const seen = new Set<string>();
  for (let slot = 0; slot < 30; slot++) {
    const { failures, text } = focusOf(1, 2, slot, worst);
    expect(new Set(tasks(failures)).size).toBe(3);
    expect(text).toContain(`Look first at the trial on ${failures[0]!.task},`);
    for (const task of tasks(failures)) seen.add(task);
  }
  expect([...seen].sort()).toEqual(tasks(worst));
});

test('the same slot of the same run has the same focus', () => {
  expect(focusOf(1, 2, 3, worst)).toEqual(focusOf(1, 2, 3, worst));
  expect(focusOf(1, 2, 3, worst)).not.toEqual(focusOf(2, 2, 3, worst));
});

test('no two mutators of a run are asked the same', async () => {
  const asked: string[] = [];
  const listening: Llm = async (request) => {
    if (String(request.messages[0]?.content).startsWith('You improve'))
      asked.push(JSON.stringify(request.messages));
    return await scriptedModel(request);
  };
  await runWorld(plainWorld({ mutator: listening, population: 16 }), { generations: 4 });
  expect(asked.length).toBeGreaterThan(10);
  expect(new Set(asked).size).toBe(asked.length);
});
