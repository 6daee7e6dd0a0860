import { describe, expect, test } from 'vitest';
import { type ChatRequest, type Fault, type Llm, LlmError } from '../../src/llm/llm.ts';
import type { Brief } from '../../src/variation/brief.ts';
import type { Shown } from '../../src/variation/evidence.ts';
import { mutateText } from '../../src/variation/mutate-text.ts';
import type { EditRules } from '../../src/variation/parse-edits.ts';
import { plainGenome, plainWorld, runWorld, scriptedModel } from '../fixtures/synthetic-world.ts';
import { trajectory } from '../fixtures/trajectory.ts';

const rules: EditRules = { tasks: ['t1'], frozen: ['sampling.presence_penalty'], check: () => [] };
const shown: Shown = {
  task: 't1',
  score: 0.1,
  baseline: 0.2,
  outcome: { kind: 'lost', reason: 'x' },
  trajectory: trajectory({ result: 'e'.repeat(9000) }),
};
const brief: Brief = {
  genome: plainGenome(),
  gain: 0,
  lessons: [],
  lessonRecords: new Map(),
  attempted: [],
  evidence: { scorecard: [], failures: [shown], successes: [] },
  foresight: { checked: 0, hits: 0, others: 0, improved: 0 },
  frozen: rules.frozen,
  focus: '',
};
const good = JSON.stringify({
  hypothesis: 'it hurries',
  expects: ['t1'],
  edits: [{ op: 'set', path: 'rules.slow', value: { when: 'start', text: 'Take your time.' } }],
});

/** A model that gives these answers in turn, a fault being thrown; and what it was asked. */
function model(...answers: (string | LlmError)[]): { ask: Llm; asked: ChatRequest[] } {
  const asked: ChatRequest[] = [];
  const ask: Llm = async (request) => {
    asked.push(structuredClone(request));
    const answer = answers[asked.length - 1];
    if (answer === undefined || answer instanceof LlmError) throw answer ?? new Error('asked too often');
    return { message: { role: 'assistant', content: answer }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
  };
  return { ask, asked };
}
const mutate = (ask: Llm, context: number | null = null) =>
  mutateText({ ask, model: 'm', context }, brief, rules, (attempt) => attempt);
const size = (request: ChatRequest) =>
  request.messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);

describe('a mutator', () => {
  test('is asked once where its edits can be used, with a bound on what it may write', async () => {
    const { ask, asked } = model(good);
    expect(await mutate(ask)).toMatchObject({ ok: true, hypothesis: 'it hurries', expects: ['t1'] });
    expect(asked).toMatchObject([{ model: 'm', max_tokens: 16_384, temperature: 1, seed: 0 }]);
  });

  test('is told what was wrong and sees its reply again, but no thinking and not 10 MB', async () => {
    const bad = `<think>${'hm '.repeat(1000)}</think>{"edits": []} ${'x'.repeat(10_000_000)}`;
    const { ask, asked } = model(bad, good);
    expect(await mutate(ask)).toMatchObject({ ok: true });
    const [echo, repair] = asked[1]!.messages.slice(-2);
    expect(echo!.role).toBe('assistant');
    expect(echo!.content).toMatch(/^\{"edits": \[\]\}/);
    expect(echo!.content!.length).toBeLessThanOrEqual(2000);
    expect(repair!.content).toContain('more than 200000');
    expect(asked[1]!.seed).toBe(1);
  });

  test('that says nothing is not sent an empty message of its own', async () => {
    const { ask, asked } = model('', good);
    await mutate(ask);
    expect(asked[1]!.messages.at(-2)!.content).toBe('(no text)');
  });

  test('that edits what is frozen is refused, and does not see it', async () => {
    const edit = { op: 'set', path: 'sampling.presence_penalty', value: 1, reason: 'to be less boring' };
    const { ask, asked } = model(JSON.stringify({ edits: [edit] }), 'no');
    const parsed = await mutate(ask);
    expect(parsed).toEqual({ ok: false, problems: ['the reply holds no JSON object that can be parsed'] });
    expect(asked[1]!.messages.at(-1)!.content).toContain(
      'sampling.presence_penalty: frozen for this run: the endpoint cannot express it',
    );
    expect(asked[0]!.messages[1]!.content).not.toContain('presence_penalty');
  });

  test.each<Fault>(['busy', 'unavailable', 'timeout', 'garbled', 'bad-request', 'connection'])(
    'that does not answer (%s) is a refusal, the first time or the second',
    async (fault) => {
      const error = new LlmError(fault, 'nobody\nthere');
      const refused = {
        ok: false,
        problems: ['the mutator did not answer: nobody there'],
        unanswered: true,
      };
      expect(await mutate(model(error).ask)).toEqual(refused);
      expect(await mutate(model('prose', error).ask)).toEqual(refused);
    },
  );

  test.each<Fault>(['refused', 'unknown-model', 'budget', 'unseen', 'cancelled'])(
    'stops the run where no other call would fare better, or nobody waits: %s',
    async (fault) => {
      const error = new LlmError(fault, 'no');
      await expect(mutate(model(error).ask)).rejects.toBe(error);
    },
  );

  test('whose endpoint was given up stops the run', async () => {
    const error = new LlmError('unavailable', 'down', { gaveUp: true });
    await expect(mutate(model(error).ask)).rejects.toBe(error);
  });

  test('for whom the prompt is too long gets a short one, once', async () => {
    const long = new LlmError('too-long', 'context');
    const { ask, asked } = model(long, good);
    expect(await mutate(ask)).toMatchObject({ ok: true });
    expect(asked).toHaveLength(2);
    const [whole, short] = asked.map(size) as [number, number];
    expect(whole).toBeGreaterThan(short);
    expect(await mutate(model(long, long).ask)).toMatchObject({ ok: false });
  });

  test('with a small context is asked within it', async () => {
    const { ask, asked } = model(good);
    await mutate(ask, 8192);
    expect(asked[0]!.max_tokens).toBe(2048);
    expect(size(asked[0]!)).toBeLessThan(6144 * 3);
  });
});

test('a run whose mutator never answers goes on with typed steps, and says why', async () => {
  const down: Llm = async (request) => {
    if (String(request.messages[0]?.content).startsWith('You criticise')) return await scriptedModel(request);
    throw new LlmError('unavailable', '503 from the endpoint');
  };
  const { events, result, state } = await runWorld(plainWorld({ mutator: down }), { generations: 4 });
  const refused = events.flatMap((event) => (event.type === 'refused' ? [event] : []));
  expect(refused.map(({ operator, reason }) => [operator, reason])).toContainEqual([
    'mutate-text',
    'the mutator did not answer: 503 from the endpoint',
  ]);
  const bred = events.flatMap((event) => (event.type === 'bred' ? [event.candidate] : []));
  expect(bred.filter(({ operator }) => operator === 'mutate-text')).toEqual([]);
  expect(bred.filter(({ generation }) => generation === 3)).toHaveLength(6);
  // That nobody answered says nothing of the operator: it is drawn as often as before.
  expect(state.operators.get('mutate-text')?.refused ?? 0).toBe(0);
  expect(result.stop).toBe('finished');
});
