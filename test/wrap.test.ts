import { expect, test } from 'vitest';
import { wrapped } from '../src/wrap.ts';

test('a line of progress is cut at spaces, at 110 columns, and commands in it are not', () => {
  const line = `evolve: ${'so '.repeat(25)}it stopped; \`evolve resume runs/x --budget-trials 30\` goes on`;
  const cut = wrapped(line).split('\n');
  expect(cut).toHaveLength(2);
  expect(cut[1]).toBe('  `evolve resume runs/x --budget-trials 30` goes on');
  expect(wrapped(line).replace('\n  ', ' ')).toBe(line);
  expect(wrapped('x '.repeat(55).trim())).toBe('x '.repeat(55).trim());
  const command = `    evolve resume ${'x/'.repeat(60)} --generations 2`;
  expect(wrapped(command)).toBe(command);
  const word = 'x'.repeat(200);
  expect(wrapped(`a ${word} b`)).toBe(`a\n  ${word}\n  b`);
});

test('on a narrow terminal lines are as wide as it is; lines of a text are cut one by one', () => {
  const line = 'so '.repeat(30).trim();
  for (const cut of wrapped(line, 60).split('\n')) expect(cut.length).toBeLessThanOrEqual(60);
  expect(wrapped(line, 60).split('\n')).toHaveLength(2);
  expect(wrapped(line, 300)).toBe(line);
  // A terminal that does not know.
  expect(wrapped(line, 0)).toBe(line);
  expect(wrapped(`${line}\n${line}`)).toBe(`${line}\n${line}`);
});
