import { describe, expect, it } from 'vitest';
import { jsonReply } from '../../src/llm/json-reply.ts';

const EDIT = { edits: [{ gene: 'rules.a', text: 'Use {braces} and ```js\nfences\n``` and "quotes"' }] };
const TEXT = JSON.stringify(EDIT);
const PRETTY = JSON.stringify(EDIT, null, 2);

describe('jsonReply', () => {
  it.each([
    ['plain', TEXT],
    ['pretty', PRETTY],
    ['in a fence', `Here it is:\n\n\`\`\`json\n${PRETTY}\n\`\`\`\nDone {so far}.`],
    ['in a fence without a language', `\`\`\`\n${TEXT}\n\`\`\``],
    ['in the last of two fences', `\`\`\`json\n{"draft": 1}\n\`\`\`\nBetter:\n\`\`\`json\n${TEXT}\n\`\`\``],
    ['in a fence that never closes', `\`\`\`json\n${TEXT}`],
    ['after thinking with an object in it', `<think>{"edits": []}</think>${TEXT}`],
    ['after a stray end of thinking', `{"edits": []}</think>${TEXT}`],
    ['after braces in a preamble', `The set {a, b} and the rule {"x" are fine. ${TEXT}`],
    ['before braces', `${TEXT}\nThis changes {rules} only.`],
    ['after another object', `First I had {"edits": []}. Now: ${TEXT} {}`],
    ['between quotation marks', `He said "here: ${TEXT}`],
  ])('%s', (_, content) => {
    expect(jsonReply(content)).toEqual(EDIT);
  });

  it('keeps a tag of thinking that is part of a string', () => {
    expect(jsonReply('{"text": "never write <think> aloud"}')).toEqual({
      text: 'never write <think> aloud',
    });
  });

  it.each([
    ['nothing', ''],
    ['no content', null],
    ['prose', 'I would rather not.'],
    ['an array', '[1, 2]'],
    ['an object cut short', '{"edits": [{"gene": "rules.a"'],
    ['single quotes', "{'edits': []}"],
    ['only thinking', '<think>Perhaps {"edits": []} or'],
  ])('null for %s', (_, content) => {
    expect(jsonReply(content)).toBeNull();
  });

  it('makes no prototype of what looks like one', () => {
    const found = jsonReply('{"__proto__": {"polluted": true}}');
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    ['open braces', '{'.repeat(10_000_000)],
    ['objects that never close', '{"a":'.repeat(2_000_000)],
    ['quotation marks', '{"'.repeat(5_000_000)],
    ['fences', '```\n'.repeat(2_500_000)],
    ['fences and braces', '```json\n{\n'.repeat(1_000_000)],
    ['empty objects that are none', '{"a"}'.repeat(2_000_000)],
    ['spaces', `{${' '.repeat(10_000_000)}`],
    ['lines', '\n'.repeat(10_000_000)],
  ])('comes to an end on 10 MB of %s', (_, text) => {
    expect(jsonReply(text)).toBeNull();
  });

  it('reads an object of 10 MB', () => {
    const text = 'x'.repeat(10_000_000);
    expect(jsonReply(`See {here}: ${JSON.stringify({ text })} {`)?.text).toHaveLength(text.length);
  });
});
