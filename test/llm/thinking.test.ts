import { describe, expect, it } from 'vitest';
import { spoken, stripThinking, thinkingOf } from '../../src/llm/thinking.ts';

describe('stripThinking', () => {
  it.each([
    ['no tags', '  as it is  ', '  as it is  '],
    ['a block', '<think>hm</think>\n\nHello', 'Hello'],
    ['two blocks', '<think>a</think>Hel<thinking>b\nc</thinking>lo', 'Hello'],
    ['another case', '<THINK>a</Think>Hello', 'Hello'],
    ['an unclosed block', 'Hello <think>and then', 'Hello '],
    ['nothing but thinking', '<think>and then', ''],
    ['a stray end', 'so I say </think> Hello', 'Hello'],
    ['a stray end after a block', '<think>a</think>b</think>Hello', 'Hello'],
    ['a tag inside a block', '<think>a <think> b</think>Hello', 'Hello'],
    ['what only looks like a tag', 'a <thinker> thinks', 'a <thinker> thinks'],
  ])('%s', (_, text, rest) => {
    expect(stripThinking(text)).toBe(rest);
  });

  it('takes hostile text whole', () => {
    expect(stripThinking('<think>'.repeat(300_000))).toBe('');
    expect(stripThinking('</think>'.repeat(300_000))).toBe('');
    expect(stripThinking('<think></think>x'.repeat(100_000))).toBe('x'.repeat(100_000));
    expect(stripThinking('<'.repeat(5_000_000))).toHaveLength(5_000_000);
  });
});

it('thinkingOf finds thinking wherever it stands, and spoken what is left', () => {
  const message = {
    role: 'assistant' as const,
    content: '<think>in content</think>Hello <think>again',
    reasoning_content: 'in a field',
    reasoning_details: [{ type: 'reasoning.text', text: 'in details' }, { type: 'reasoning.encrypted' }, 'x'],
  };
  expect(thinkingOf(message)).toBe('in a field\n\nin details\n\nin content\n\nagain');
  expect(spoken(message)).toBe('Hello ');
  expect(thinkingOf({ ...message, content: '', reasoning_content: 'in details' })).toBe('in details');
  expect(thinkingOf({ role: 'assistant', content: null })).toBe('');
  expect(spoken({ content: null })).toBe('');
});
