import { describe, expect, test } from 'vitest';
import type { Trajectory } from '../../src/agent/trajectory.ts';
import type { Llm } from '../../src/llm/llm.ts';
import { type Case, criticize, isKnown } from '../../src/memory/criticize.ts';
import type { Lesson } from '../../src/memory/lesson.ts';
import { recall } from '../../src/memory/recall.ts';
import { creditLessons } from '../../src/memory/record.ts';
import { renderMemory } from '../../src/memory/render.ts';
import { excerpt } from '../../src/prompts/excerpt.ts';

const lesson = (id: string, advice: string): Lesson => ({
  id,
  symptom: 'It crashed',
  cause: 'A fault was copied',
  advice,
  genes: ['rules'],
  evidence: ['t1'],
  lineage: 'baseline',
  generation: 2,
});
const byId = (...lessons: Lesson[]) => new Map(lessons.map((it) => [it.id, it]));

function trajectory(...messages: string[]): Trajectory {
  const metrics = {
    total_prompt_tokens: 0,
    total_completion_tokens: 0,
    total_cached_tokens: 0,
    total_cost_usd: 0,
  };
  return {
    schema_version: 'ATIF-v1.4',
    session_id: 's',
    agent: { name: 'a', version: '1', model_name: 'm' },
    steps: [
      { step_id: 1, timestamp: '', source: 'system', message: 'the rules' },
      ...messages.map((message, i) => ({
        step_id: i + 2,
        timestamp: '',
        source: 'agent' as const,
        message,
        tool_calls: [{ tool_call_id: 'c', function_name: 'train', arguments: { file: 'main.mjs' } }],
        observation: { results: [{ source_call_id: 'c', content: 'TypeError in features.mjs' }] },
      })),
    ],
    final_metrics: { ...metrics, total_steps: messages.length + 1 },
  };
}

const it: Case = {
  lineage: 'careful',
  generation: 3,
  task: { id: 'task-1', family: 'images' },
  genes: ['rules.a'],
  own: { trial: 'bad', score: 0.1, trajectory: trajectory('I train it.') },
  reference: { trial: 'good', score: 0.6, trajectory: null },
};
const criticizedBy = (content: string) =>
  criticize({ critic: { ask: answers(content), model: 'm', context: null }, seed: 1, it, known: [] });
const answers =
  (content: string): Llm =>
  async () => ({
    message: { role: 'assistant', content },
    finish: 'stop',
    tokensIn: 1,
    tokensOut: 1,
  });

describe('the critic', () => {
  test('its lessons carry their evidence and lineage', async () => {
    const said = {
      symptom: ' It  crashed ',
      cause: 'A typo',
      advice: 'Read the error',
      genes: ['rules', 7, 'no path!'],
    };
    const lessons = await criticizedBy(`Sure! ${JSON.stringify({ lessons: [said] })}`);
    expect(lessons).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{12}$/),
        symptom: 'It crashed',
        cause: 'A typo',
        advice: 'Read the error',
        genes: ['rules'],
        evidence: ['bad', 'good'],
        lineage: 'careful',
        generation: 3,
      },
    ]);
  });

  test.each([
    '',
    'no idea',
    '{"lessons": 3}',
    '{"lessons": [null, 1, {"symptom": "only"}]}',
    '{"lessons": [{',
  ])('nothing usable gives no lesson: %s', async (content) =>
    expect(await criticizedBy(content)).toEqual([]),
  );

  test('a lesson in other order and case is known; another one is not', () => {
    const known = byId(lesson('a', 'Look for the same bug in the other files at once'));
    expect(isKnown(lesson('b', 'At once look for the SAME bug in other files'), known)).toBe(true);
    expect(isKnown(lesson('c', 'Lower the temperature when drafts differ too much'), known)).toBe(false);
  });
});

describe('an excerpt', () => {
  test('shows what was said, called and answered, without the system prompt', () => {
    expect(excerpt(trajectory('I train it.'))).toBe(
      'agent: I train it.\ncall train(file=main.mjs)\nresult: TypeError in features.mjs',
    );
  });

  test('is bounded, and keeps the end', () => {
    const long = trajectory(...Array.from({ length: 200 }, (_, i) => `step ${i}`));
    expect(excerpt(long, 1000).length).toBeLessThanOrEqual(1000);
    expect(excerpt(long, 1000)).toContain('step 199');
  });
});

describe('recall', () => {
  const memory = byId(
    lesson('siblings', 'look for the same TypeError in other files'),
    lesson('heat', 'lower the temperature'),
    lesson('old', 'TypeError again'),
  );

  test('prefers what speaks of the failures at hand', () => {
    expect(
      recall(memory, new Map(), 'TypeError in features.mjs, other files', 2).map(({ id }) => id),
    ).toContain('siblings');
    expect(recall(memory, new Map(), 'temperature', 1)[0]!.id).toBe('heat');
  });

  test('prefers a good record, and never recalls what is retired', () => {
    const records = new Map([
      ['heat', { bred: 6, gain: 1.2, retired: false }],
      ['siblings', { bred: 6, gain: -1.2, retired: true }],
    ]);
    expect(recall(memory, records, 'TypeError', 5).map(({ id }) => id)).toEqual(['heat', 'old']);
  });
});

describe('records', () => {
  const child = (gain: number, ...lessons: string[]) => ({ lessons, gain });

  test('sum what children gained that were bred with a lesson', () => {
    const before = new Map([['a', { bred: 1, gain: 0.1, retired: false }]]);
    const after = creditLessons(before, [child(0.2, 'a', 'b'), child(-0.1, 'a')]);
    expect(after.a!.bred).toBe(3);
    expect(after.a!.gain).toBeCloseTo(0.2, 12);
    expect(after.b).toEqual({ bred: 1, gain: 0.2, retired: false });
  });

  test('a lesson whose children do clear harm is retired after four, and stays so', () => {
    const harm = Array.from({ length: 4 }, () => child(-0.3, 'harm'));
    expect(creditLessons(new Map(), harm.slice(1)).harm!.retired).toBe(false);
    const first = creditLessons(new Map(), harm);
    expect(first.harm!.retired).toBe(true);
    expect(creditLessons(new Map(Object.entries(first)), [child(9, 'harm')]).harm!.retired).toBe(true);
  });

  test('a lesson is not blamed where all children fare ill', () => {
    const ill = Array.from({ length: 6 }, () => child(-0.15, 'one', 'two', 'three'));
    expect(Object.values(creditLessons(new Map(), ill)).some((record) => record.retired)).toBe(false);
  });
});

test('memory.md shows each lesson with how it fared, the best first, retired ones last', () => {
  const text = renderMemory({
    lessons: byId(lesson('harm', 'hurry'), lesson('new', 'breathe'), lesson('good', 'validate')),
    lessonRecords: new Map([
      ['harm', { bred: 4, gain: -0.8, retired: true }],
      ['good', { bred: 2, gain: 0.1, retired: false }],
    ]),
  });
  expect([...text.matchAll(/^## (.*)$/gm)].map((found) => found[1])).toEqual([
    'good',
    'new',
    'harm (retired)',
  ]);
  expect(text).toContain('2 bred with it, on average +5.0 points');
  expect(renderMemory({ lessons: new Map(), lessonRecords: new Map() })).toContain('None yet.');
});
