import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runAgent } from '../../src/agent/run-agent.ts';
import type { Genome, Rule, Trigger } from '../../src/genome/genome.ts';
import type { Llm } from '../../src/llm/llm.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { taskIn } from '../offline/conversations.ts';

/** Which genes are said to have done something, of an agent that plays a script: a list of calls for each turn. */

type Call = [name: string, args: object];

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-active-'));
  for (const name of ['public', 'trial', 'scratch']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'public/sample_submission.csv'), 'id,price\n3,0\n');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const LIST: Call = ['list_files', {}];
const FAIL: Call = ['read_file', { path: 'nowhere.mjs' }];
const WRITE: Call = ['write_file', { path: 'main.mjs', content: 'ok' }];
const TRAIN: Call = ['train', {}];
const SUBMIT: Call = ['submit', {}];
const read = (name: string): Call => ['read_skill', { name }];
const rule = (when: Trigger): Rule => ({ when, text: `now ${when}` });
const skill = { description: 'a skill', body: 'how to', files: {} };

/** Plays `turns`, then lists files for ever; a training gives a valid submission. */
async function play(parts: Partial<Genome>, turns: Call[][]): Promise<string[]> {
  let turn = 0;
  const llm: Llm = async ({ tools }) => {
    const counted = { finish: 'stop' as const, tokensIn: 1, tokensOut: 1 };
    if (!tools) return { ...counted, message: { role: 'assistant', content: 'it went well' } };
    const calls = (turns[turn++] ?? [LIST]).map(([name, args], i) => ({
      id: `call-${turn}-${i}`,
      type: 'function' as const,
      function: { name, arguments: JSON.stringify(args) },
    }));
    return { ...counted, message: { role: 'assistant', content: null, tool_calls: calls } };
  };
  const transcript = await runAgent(plainGenome({ rules: {}, ...parts }), taskIn(join(dir, 'public')), {
    llm,
    model: 'scripted',
    seed: 1,
    folder: join(dir, 'trial'),
    scratch: join(dir, 'scratch'),
    job: async (spec) => {
      writeFileSync(join(spec.folder, 'submission.csv'), 'id,price\n3,5\n');
      return { identity: 'job', outcome: { kind: 'done', outputs: spec.outputs, log: '', ms: 1 } };
    },
  });
  return transcript.active;
}

test('rules are active when their trigger fires, those of the system message always', async () => {
  const rules = {
    fix: rule('after-fix'),
    error: rule('after-error'),
    begin: rule('start'),
    standing: rule('always'),
    loop: rule('on-loop'),
  };
  const always = ['rules.begin', 'rules.standing'];
  expect(await play({ rules }, [[LIST], [SUBMIT]])).toEqual(always);
  expect(await play({ rules }, [[FAIL], [SUBMIT]])).toEqual(['rules.begin', 'rules.error', 'rules.standing']);
  expect(await play({ rules }, [[FAIL], [WRITE], [LIST], [SUBMIT]])).toEqual([
    'rules.begin',
    'rules.error',
    'rules.fix',
    'rules.standing',
  ]);
});

test('a rule that nobody was left to read is not active, one that held back a submission is', async () => {
  const rules = { error: rule('after-error'), check: rule('before-submit') };
  expect(await play({ rules: { error: rules.error } }, [[FAIL, SUBMIT]])).toEqual([]);
  expect(await play({ rules: { check: rules.check } }, [[SUBMIT], [SUBMIT]])).toEqual(['rules.check']);
  const limits = { ...plainGenome().limits, turns: 4, check_share: 0 };
  const lastTurn = [[LIST], [LIST], [LIST], [SUBMIT]];
  expect(await play({ rules: { check: rules.check }, limits }, lastTurn)).toEqual(['rules.check']);
});

test('skills are active when they were read, by a name that exists, and shown', async () => {
  const skills = { boosting: skill, linear: skill };
  expect(await play({ skills }, [[read('boosting'), LIST], [read('nothing')], [SUBMIT]])).toEqual([
    'skills.boosting',
  ]);
  expect(await play({ skills }, [[read('linear'), SUBMIT]])).toEqual([]);
});

test('the loop guard is active when it spoke, switched or stopped', async () => {
  const loop = { action: 'warn' as const, window: 4, similarity: 0.9 };
  const same = [[LIST], [LIST], [LIST], [SUBMIT]];
  expect(await play({ loop }, [[LIST], [WRITE], [SUBMIT]])).toEqual([]);
  expect(await play({ loop, rules: { again: rule('on-loop') } }, same)).toEqual(['loop', 'rules.again']);
  expect(await play({ loop: { ...loop, action: 'off' } }, same)).toEqual([]);
  const noNotes = { ...plainGenome().memory, notes: 0 };
  expect(await play({ loop: { ...loop, action: 'switch' }, memory: noNotes }, same)).toEqual(['loop']);
  const silent = { loop: { ...loop, action: 'stop' as const }, rules: { again: rule('on-loop') } };
  expect(await play(silent, same)).toEqual(['loop']);
});

test('memory is active when notes of an earlier attempt were shown', async () => {
  const trained = [[WRITE], [TRAIN], [SUBMIT]];
  expect(await play({}, trained)).toEqual(['memory']);
  expect(await play({}, [[WRITE], [SUBMIT]])).toEqual([]);
  expect(await play({ memory: { ...plainGenome().memory, notes: 0 } }, trained)).toEqual([]);
});
