import { describe, expect, test } from 'vitest';
import { genomeId } from '../../src/genome/hash.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import type { Constitution } from '../../src/guard/constitution.ts';
import { reviewChange } from '../../src/guard/review.ts';
import type { Llm } from '../../src/llm/llm.ts';
import { parseEdits } from '../../src/variation/parse-edits.ts';
import { plainGenome, plainWorld, runWorld, scriptedModel } from '../fixtures/synthetic-world.ts';

const parent = plainGenome({ rules: { slow: { when: 'start', text: 'Take your time.' } } });
const before = genomeId(parent);

const constitution: Constitution = {
  version: 1,
  allow: ['sampling', 'rules', 'skills', 'loop'],
  ask: [],
  deny: ['mcp'],
  bounds: {},
  most: { rules: 4, skills: 4, ruleCharacters: 400 },
  scripts: 'ask',
  forbiddenWords: ['leaderboard'],
};

/** As the search checks a child: schema, then guard. */
function check(genome: typeof parent): string[] {
  const invalid = validateGenome(genome).map(({ path, message }) => `${path} ${message}`);
  if (invalid.length > 0) return invalid;
  const { verdict, reason } = reviewChange(constitution, parent, genome);
  return verdict === 'allow' ? [] : [reason];
}

const read = (content: string) => parseEdits(content, parent, { tasks: ['task-1'], frozen: [], check });
const edits = (...list: unknown[]) => JSON.stringify({ hypothesis: 'h', expects: [], edits: list });
const set = (path: string, value: unknown) => ({ op: 'set', path, value, reason: 'because I say so' });
const rule = (text: unknown, when: unknown = 'always') => set('rules.new', { when, text });
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const raw = (value: string, path = 'rules.new') =>
  `{"edits": [{"op": "set", "path": "${path}", "reason": "because I say so", "value": ${value}}]}`;

describe('a hostile reply is refused with short, plain reasons, and nothing is changed', () => {
  test.each<[string, string, RegExp]>([
    ['prose', 'I think that the harness is fine as it is. {smile}', /no JSON object/],
    ['nothing', '', /no JSON object/],
    ['only thinking', '<think>{"edits": [', /no JSON object/],
    ['a list', '[1, 2]', /no JSON object|"edits"/],
    ['empty edits', edits(), /at least one edit/],
    ['edits that are no list', '{"edits": {"length": 1}}', /at least one edit/],
    ['10 MB of text', 'x'.repeat(10_000_000), /has 10000000 characters, more than 200000/],
    ['10 MB of edits', `{"edits": [${'"x",'.repeat(2_500_000)}"x"]}`, /characters, more than 200000/],
    ['100,000 edits', `{"edits": [${Array(60_000).fill('1').join(',')}]}`, /60000 entries; at most 4/],
    ['depth as value', raw(nested(10_000)), /nested deeper|no JSON object/],
    ['depth beside the edits', `{"a": ${nested(90_000)}, "edits": []}`, /nested deeper|no JSON object/],
    ['depth of objects', raw(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`), /nested deeper|no JSON/],
    ['no such gene', edits(set('sampling.temprature', 1)), /no gene "sampling.temprature"/],
    ['no such section', edits(set('budget.usd', 1e9)), /no gene "budget.usd"/],
    ['the constitution', edits(set('constitution.allow', ['mcp'])), /no gene "constitution.allow"/],
    ['the grader', edits(set('tools.grade', true)), /no gene "tools.grade"/],
    ['what the guard denies', edits(set('limits.turns', 60)), /limits.turns is not under "allow"/],
    ['a forbidden word', edits(rule('Read the leaderboard.')), /speaks of "leaderboard"/],
    ['a word in two halves', edits(rule('Read the lead\u200berboard.')), /invisible characters/],
    ['text turned round', edits(rule('Be \u202egood.')), /invisible characters/],
    ['control characters', edits(rule('Go.\u0007\u001b[2J')), /control characters/],
    ['a lone surrogate', raw('{"when": "always", "text": "\\ud800"}'), /rules.new/],
    [
      'above its bounds',
      edits(set('sampling.temperature', 2.01)),
      /sampling.temperature is 2.01, outside 0 to 2/,
    ],
    ['huge', raw('1e308', 'sampling.temperature'), /outside 0 to 2/],
    ['infinite', raw('1e999', 'sampling.temperature'), /must be a number/],
    ['NaN as text', edits(set('sampling.temperature', 'NaN')), /must be a number/],
    ['a number as text', edits(set('sampling.temperature', '0.7')), /must be a number/],
    ['a fraction of a window', edits(set('loop.window', 3.5)), /loop.window must be a whole number/],
    ['a wrong trigger', edits(rule('x', 'sometimes')), /rules.new/],
    ['a rule with more fields', edits(set('rules.new', { when: 'always', text: 'x', run: 'sh' })), /run/],
    ['a rule as a list', edits(set('rules.new', ['x'])), /rules.new/],
    ['no text', edits(rule('')), /is empty/],
    ['too much text', edits(rule('x'.repeat(3000))), /has 3000 characters/],
    [
      'prototype as name',
      edits(set('rules.__proto__', { when: 'always', text: 'x' })),
      /no gene "rules.__proto__"/,
    ],
    ['prototype as key', raw('{"when": "always", "text": "x", "__proto__": {"admin": true}}'), /__proto__/],
    ['prototype at the top', '{"__proto__": {"edits": []}, "edits": []}', /__proto__/],
    ['constructor as key', raw('{"constructor": {"prototype": {}}}'), /"constructor"/],
    ['constructor as rule', edits(set('rules.Constructor', { when: 'always', text: 'x' })), /no gene/],
    ['a server', edits(set('mcp.shell', { command: 'sh', args: ['-c', 'id'] })), /servers cannot be edited/],
    ['a name in look-alikes', edits(set('rules.ѕlow', { when: 'always', text: 'x' })), /no gene/],
    ['a name with a blank', edits(set('rules.a\u00a0b', { when: 'always', text: 'x' })), /no gene/],
    ['a path upwards', edits(set('skills.../../x', { description: 'x', body: 'x' })), /no gene/],
    [
      'a file upwards',
      edits(set('skills.s', { description: 'x', body: 'x', files: { '../x': 'x' } })),
      /skills.s/,
    ],
    [
      'a script',
      edits(set('skills.s', { description: 'x', body: 'x', files: { 'scripts/x.sh': 'x' } })),
      /no field "files"/,
    ],
    ['one gene twice', edits(rule('One.'), rule('Two.')), /edit 2: rules.new is edited twice/],
    ['path as a record', '{"edits": [{"op": "set", "path": {"a": 1}, "value": 1}]}', /"path" must be a text/],
    ['op as a record', '{"edits": [{"op": {"a": 1}, "path": "rules.slow"}]}', /"op" must be/],
    [
      'a name of 100 KB',
      edits(set(`rules.${'a'.repeat(100_000)}`, { when: 'always', text: 'x' })),
      /no gene/,
    ],
    ['a name with line breaks', edits(set('rules.x\n\n## Genes', { when: 'always', text: 'x' })), /no gene/],
    ['a section whole', edits(set('rules', {})), /no gene "rules"/],
  ])('%s', (_, reply, reason) => {
    const parsed = read(reply);
    const problems = parsed.ok ? ['accepted'] : parsed.problems;
    expect(problems.join('\n')).toMatch(reason);
    expect(problems.length).toBeLessThanOrEqual(5);
    for (const problem of problems) {
      expect(problem.length).toBeLessThanOrEqual(200);
      expect(problem).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
    expect(genomeId(parent)).toBe(before);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test('many faults are told in five lines at most', () => {
    const bad = (name: string) => set(`skills.${name}`, { description: '', body: 'x'.repeat(41_000) });
    const parsed = read(edits(bad('a'), bad('b'), bad('c'), bad('d')));
    expect((parsed as { problems: string[] }).problems).toHaveLength(5);
  });
});

test('what a model says of an edit is kept without controls, and cut', () => {
  const hypothesis = `one\u0000two\u001b[31m three\u202e\n${'x'.repeat(600)}`;
  const edit = { ...set('sampling.temperature', 0.7), reason: `hot\u0007 heads${'y'.repeat(300)}` };
  const parsed = read(JSON.stringify({ hypothesis, expects: ['task-1', 7, '__proto__'], edits: [edit] }));
  expect(parsed).toMatchObject({ ok: true, expects: ['task-1'] });
  const kept = (parsed as { hypothesis: string }).hypothesis;
  expect(kept).toMatch(/^one two \[31m three x+ \(sampling.temperature: hot headsy+\)$/);
  expect(kept.length).toBeLessThan(750);
});

test('a run whose mutator gives nothing else refuses it all in its journal, and goes on', async () => {
  const replies = [
    ...['', 'no', `{"edits": [${nested(50_000)}]}`, 'x'.repeat(300_000), raw('1e999', 'sampling.top_p')],
    ...[edits(set('rules.__proto__', {})), edits(set('constitution.allow', [])), edits(rule('\u0000'))],
  ];
  let turn = 0;
  const hostile: Llm = async (request) => {
    if (String(request.messages[0]?.content).startsWith('You criticise')) return await scriptedModel(request);
    const content = replies[turn++ % replies.length]!;
    return { message: { role: 'assistant', content }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
  };
  const { events, result } = await runWorld(plainWorld({ mutator: hostile }), { generations: 6 });
  const refused = events.flatMap((event) => (event.type === 'refused' ? [event] : []));
  const reasons = refused.filter(({ operator }) => operator === 'mutate-text').map(({ reason }) => reason);
  expect(reasons.length).toBeGreaterThan(2);
  for (const reason of reasons) expect(reason.length).toBeLessThan(1100);
  expect(events.some((event) => event.type === 'bred' && event.candidate.operator === 'mutate-text')).toBe(
    false,
  );
  expect(result.stop).toBe('finished');
});
