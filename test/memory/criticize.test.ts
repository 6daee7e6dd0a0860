import { describe, expect, test } from 'vitest';
import { type ChatRequest, type Fault, type Llm, LlmError } from '../../src/llm/llm.ts';
import { type Case, criticize } from '../../src/memory/criticize.ts';
import type { Lesson } from '../../src/memory/lesson.ts';
import { excerpt } from '../../src/prompts/excerpt.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { trajectory } from '../fixtures/trajectory.ts';

const long = trajectory({ result: `Error: ${'e'.repeat(3000)}`, turns: 3 });
const it: Case = {
  lineage: 'a',
  generation: 1,
  task: { id: 'task-1', family: 'images' },
  genes: ['rules.a'],
  genome: plainGenome({ rules: { a: { when: 'start', text: 'Take\nyour time.' } } }),
  own: {
    trial: 'bad',
    score: 0,
    trajectory: long,
    outcome: {
      kind: 'failed',
      reason: 'no valid submission: a column is missing',
      jobs: [],
      usage: { tokensIn: 1, tokensOut: 1, usd: 0, turns: 18, jobs: 4, gpuMs: 0 },
    },
  },
  reference: { trial: 'good', score: 0.6, trajectory: trajectory({ said: 'I check it.' }) },
};
const lesson = { symptom: 'It\u0007 crashed', cause: 'A typo', advice: 'Read the error', genes: [] };
const good = JSON.stringify({ lessons: [lesson] });

function model(...answers: (string | LlmError)[]): { ask: Llm; asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  const ask: Llm = async (request) => {
    asked.push(request);
    const answer = answers[asked.length - 1]!;
    if (answer instanceof LlmError) throw answer;
    return { message: { role: 'assistant', content: answer }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
  };
  return { ask, asked };
}
const ask7 = (ask: Llm, more: { context?: number; known?: Lesson[] } = {}) =>
  criticize({
    critic: { ask, model: 'm', context: more.context ?? null },
    seed: 7,
    it,
    known: more.known ?? [],
  });
const promptOf = (request: ChatRequest) => String(request.messages[1]!.content);

describe('the critic', () => {
  test('reads the short excerpt first, then rules, outcome and the whole traces', async () => {
    const { ask, asked } = model(good);
    expect(await ask7(ask)).toMatchObject([{ symptom: 'It crashed' }]);
    expect(asked[0]).toMatchObject({ model: 'm', seed: 7, temperature: 1, max_tokens: 4096 });
    const text = promptOf(asked[0]!);
    expect(text).toContain(`## What the agent did\n\n${excerpt(long)}\n\n## What it did under the baseline`);
    expect(text).toContain('- rules.a (start): Take your time.');
    expect(text).toContain('It failed: no valid submission: a column is missing. It took 18 turns');
    expect(text).toContain(`Error: ${'e'.repeat(3000)}`);
    expect(text).toContain('the task in words');
    expect(text.indexOf('## The whole trace')).toBeGreaterThan(text.indexOf('## What the agent did'));
  });

  test('is told which lessons stand there already, after what the agent did', async () => {
    const { ask, asked } = model(good, good);
    const written: Lesson = {
      ...lesson,
      id: 'l',
      evidence: [],
      lineage: 'a',
      generation: 0,
      symptom: 'Slow',
    };
    await ask7(ask, { known: [written] });
    await ask7(ask);
    const [text, without] = asked.map(promptOf) as [string, string];
    expect(text).toMatch(
      /## Lessons written already: none of these again.*\n\n- Slow A typo Read the error\n/,
    );
    expect(text.indexOf('## Lessons written')).toBeGreaterThan(text.indexOf('## What it did under'));
    expect(without).not.toContain('## Lessons written');
  });

  test('with a small context reads the excerpts alone', async () => {
    const { ask, asked } = model(good);
    await ask7(ask, { context: 3000 });
    expect(promptOf(asked[0]!)).not.toContain('## The whole trace');
    expect(asked[0]!.max_tokens).toBe(750);
  });

  test('for whom the prompt is too long is asked again without the whole traces', async () => {
    const { ask, asked } = model(new LlmError('too-long', 'context'), good);
    expect(await ask7(ask)).toHaveLength(1);
    expect(promptOf(asked[1]!)).not.toContain('## The whole trace');
  });

  test.each<Fault>(['busy', 'unavailable', 'timeout', 'garbled', 'bad-request'])(
    'that does not answer (%s) has no lesson to give',
    async (fault) => expect(await ask7(model(new LlmError(fault, 'x')).ask)).toEqual([]),
  );

  test.each<Fault>(['refused', 'budget', 'unseen', 'cancelled'])('stops the run: %s', async (fault) => {
    const error = new LlmError(fault, 'x');
    await expect(ask7(model(error).ask)).rejects.toBe(error);
  });

  test.each([
    ['10 MB', `${good}${' '.repeat(10_000_000)}`],
    ['deep nesting', `{"lessons": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['lessons too long', JSON.stringify({ lessons: [{ ...lesson, advice: 'x'.repeat(501) }] })],
  ])('whose reply is hostile gives none: %s', async (_, content) =>
    expect(await ask7(model(content).ask)).toEqual([]),
  );
});
