import { describe, expect, test } from 'vitest';
import { cutMiddle, wholeTrace } from '../../src/prompts/trace.ts';
import { trajectory } from '../fixtures/trajectory.ts';

describe('a whole trace', () => {
  test('shows what was said, every call and what came back', () => {
    expect(wholeTrace(trajectory({ said: 'I try.', written: 'a\nb', result: 'Error: no' }), 1000)).toBe(
      '[3] agent: I try.\n→ write_file\n  path: file-0.mjs\n  content: a\nb\n← Error: no',
    );
  });

  test('shows what the harness said where asked for', () => {
    const text = wholeTrace(trajectory(), 1000, { system: 12, user: 0 });
    expect(text).toMatch(/^\[1\] system: the rules of\n\[3\]/);
    expect(text).not.toContain('user');
    expect(wholeTrace(trajectory(), 1000, { system: 0, user: 500 })).toMatch(
      /^\[2\] user: the task in words\n/,
    );
  });

  test('does not tell the task again at each attempt', () => {
    const task = `# Task\n${'what is to be done\n'.repeat(20)}`;
    const twice = trajectory();
    twice.steps[1]!.message = `${task}## Your folder (attempt 1)`;
    const step = { step_id: 9, timestamp: '', source: 'user' as const };
    twice.steps.push({ ...step, message: `${task}## Your folder (attempt 2)` });
    expect(wholeTrace(twice, 1000)).toMatch(
      /\[9\] user: \[… as at the start …\]\n## Your folder \(attempt 2\)$/,
    );
  });

  test('shows thinking, where there is any, but not all of it', () => {
    const loud = trajectory();
    loud.steps[2]!.reasoning_content = `first ${'hm '.repeat(2000)} at last`;
    const text = wholeTrace(loud, 100_000);
    expect(text).toMatch(/thinks: first hm[\s\S]*at last\n→ write_file/);
    expect(text.length).toBeLessThan(2000);
  });

  test('cuts what the agent wrote before what came back', () => {
    const error = `Error: ${'e'.repeat(3000)}`;
    const text = wholeTrace(trajectory({ written: 'w'.repeat(9000), result: error }), 7000);
    expect(text).toContain(error);
    expect(text).not.toContain('w'.repeat(4000));
    expect(text).toMatch(/\[… \d+ characters …\]/);
  });

  test('never exceeds its limit, and keeps the end', () => {
    const long = trajectory({ written: 'w'.repeat(2000), result: 'r'.repeat(2000), turns: 40 });
    for (const limit of [0, 10, 100, 5000, 20_000]) {
      expect(wholeTrace(long, limit, { system: 100, user: 100 }).length).toBeLessThanOrEqual(limit);
    }
    expect(wholeTrace(long, 5000)).toContain('file-39.mjs');
  });
});

test('a text is cut in its middle, and says by how much at least', () => {
  expect(cutMiddle('short', 10)).toBe('short');
  const cut = cutMiddle(`${'a'.repeat(500)}${'b'.repeat(500)}`, 200);
  expect(cut).toHaveLength(200);
  expect(cut).toMatch(/^a+\n\[… 800 characters …\]\nb+$/);
});
