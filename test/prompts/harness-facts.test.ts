import { describe, expect, test } from 'vitest';
import { LOOP_WARNING, SETTING, systemPrompt } from '../../src/agent/prompt.ts';
import { ruleTriggers } from '../../src/agent/triggers.ts';
import { type Genome, TRIGGERS, type Trigger } from '../../src/genome/genome.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import { harnessFacts, LIMIT_FACTS, LOW_BUDGET, TRIGGER_FACTS } from '../../src/prompts/harness-facts.ts';
import { plainGenome } from '../fixtures/genomes.ts';

const only = (when: Trigger) => ruleTriggers(plainGenome({ rules: { r: { when, text: 'it' } } }));
const said = [{ text: 'Remember: it', gene: 'rules.r' }];
const ok = { text: '' };
const failed = { text: '', error: true };
const edited = { text: '', edited: true };

describe('what advisors are told of triggers is what they do', () => {
  test('every trigger is told of', () => {
    for (const trigger of TRIGGERS) expect(TRIGGER_FACTS).toContain(`\`${trigger}\``);
  });

  test('low-budget fires once, at the first turn after its share', () => {
    const triggers = only('low-budget');
    const turns = Array.from({ length: 20 }, (_, i) => i + 1);
    const fired = turns.filter((turn) => triggers.beforeTurn(turn, 20, 'drafting').length > 0);
    expect(fired).toEqual([20 * LOW_BUDGET + 1]);
  });

  test('start and before-submit fire once', () => {
    const start = only('start');
    expect([1, 2].map((turn) => start.beforeTurn(turn, 9, 'drafting'))).toEqual([said, []]);
    const submit = only('before-submit');
    expect([submit.beforeSubmit(), submit.beforeSubmit(), submit.beforeTurn(9, 9, 'checking')]).toEqual([
      said,
      [],
      [],
    ]);
    expect(only('before-submit').beforeTurn(9, 9, 'checking')).toEqual(said);
  });

  test('after-error fires on every error, after-fix on the first clean edit after one', () => {
    const errors = only('after-error');
    expect([failed, ok, failed].map((step) => errors.afterStep([step], false))).toEqual([said, [], said]);
    const fixes = only('after-fix');
    const steps = [edited, failed, ok, edited, edited];
    expect(steps.map((step) => fixes.afterStep([step], false))).toEqual([[], [], [], said, []]);
  });

  test('on-loop fires on every loop, below the warning', () => {
    const loops = only('on-loop');
    for (let i = 0; i < 2; i++)
      expect(loops.afterStep([ok], true)).toEqual([{ text: LOOP_WARNING, gene: 'loop' }, ...said]);
  });
});

test('trials open with the words that advisors are told', () => {
  expect(systemPrompt(plainGenome()).startsWith(SETTING)).toBe(true);
  expect(harnessFacts()).toContain(`"${SETTING}" Count on nothing but Node.`);
  const other = 'You work with Python.';
  expect(systemPrompt(plainGenome(), other).startsWith(other)).toBe(true);
  expect(harnessFacts(other)).toContain(`"${other}" Count on nothing else.`);
});

test('the limits that advisors are told are those of the schema', () => {
  const said = LIMIT_FACTS.match(
    /(\d+) rules of (\d+) characters, and (\d+) skills,.* of (\d+) characters without < and >, and a body of (\d+)/,
  )!;
  const [rules, text, skills, description, body] = said.slice(1).map(Number) as number[];
  const many = (count: number, length: number): Partial<Genome> => ({
    rules: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `r${i}`,
        { when: 'start' as const, text: 'x'.repeat(length) },
      ]),
    ),
  });
  const skilled = (count: number, describes: number, length: number): Partial<Genome> => ({
    skills: Object.fromEntries(
      Array.from({ length: count }, (_, i) => [
        `s${i}`,
        { description: 'd'.repeat(describes), body: 'b'.repeat(length), files: {} },
      ]),
    ),
  });
  const valid = (change: Partial<Genome>) => validateGenome(plainGenome(change)).length === 0;
  expect(valid(many(rules!, text!))).toBe(true);
  expect(valid(many(rules! + 1, 1))).toBe(false);
  expect(valid(many(1, text! + 1))).toBe(false);
  expect(valid(skilled(skills!, description!, body!))).toBe(true);
  expect(valid(skilled(skills! + 1, 1, 1))).toBe(false);
  expect(valid(skilled(1, description! + 1, 1))).toBe(false);
  expect(valid(skilled(1, 1, body! + 1))).toBe(false);
});
