import { describe, expect, test } from 'vitest';
import type { Candidate, RunIdentity } from '../../src/event.ts';
import { diffGenomes } from '../../src/genome/diff.ts';
import type { Genome, Rule } from '../../src/genome/genome.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import type { Advisor } from '../../src/llm/advisor.ts';
import { type ChatRequest, type Llm, LlmError } from '../../src/llm/llm.ts';
import { offlineLlm } from '../../src/offline/offline-llm.ts';
import { apply, emptyState } from '../../src/state.ts';
import { changersOf, commonAncestor } from '../../src/variation/ancestry.ts';
import { type VaryParts, vary } from '../../src/variation/vary.ts';
import { plainGenome, smallSearch } from '../fixtures/synthetic-world.ts';

const rule = (text: string): Rule => ({ when: 'always', text });
const founder = plainGenome({ rules: { look: rule('Look at the data.'), work: rule('Work.') } });
const careful = plainGenome({ rules: { look: rule('Look at the data. Twice.'), work: rule('Work.') } });
const quick = plainGenome({ rules: { look: rule('Look at the data. Be quick.'), work: rule('Go.') } });

/** A run in which `careful` and `quick` descend from `founder`, each by one edit; the next crossover is theirs. */
function world(genomes: Genome[] = [founder, careful, quick], frozen: string[] = []) {
  const identity: RunIdentity = {
    seed: 1,
    population: 4,
    suite: 's',
    suiteHash: 'h',
    model: 'm',
    foundersHash: 'f',
    search: smallSearch,
    frozen,
  };
  const state = emptyState();
  apply(state, { type: 'started', identity, baseline: genomeId(founder), generations: 9 });
  const [root, ...rest] = genomes;
  const bred = (genome: Genome, slot: number, parents: string[]): Candidate => ({
    id: genomeId(genome),
    parents,
    lineage: 'a',
    generation: parents.length === 0 ? 0 : 1,
    slot,
    operator: parents.length === 0 ? ('founder' as const) : ('mutate-text' as const),
    hypothesis: parents.length === 0 ? '' : `hope ${slot}`,
    predicted: [],
    lessons: [],
    changes: parents.length === 0 ? [] : diffGenomes(root!, genome),
  });
  for (const [i, genome] of [root!, ...rest].entries()) {
    apply(state, { type: 'bred', candidate: bred(genome, i, i === 0 ? [] : [genomeId(root!)]) });
  }
  state.survivors = rest.map(genomeId);
  const byId = new Map(genomes.map((genome) => [genomeId(genome), genome]));
  return { identity, state, load: (id: string) => byId.get(id)! };
}

const advisor = (ask: Llm): Advisor => ({ ask, model: 'm', context: null });

async function cross(ask: Llm, at = world()) {
  const asked: ChatRequest[] = [];
  const parts: VaryParts = {
    identity: at.identity,
    state: at.state,
    genomes: { load: at.load },
    mutator: advisor((request) => {
      asked.push(request);
      return ask(request);
    }),
    readTrajectory: async () => null,
  };
  const slot = { generation: 2, slot: 0, operator: 'crossover' as const, parent: genomeId(careful) };
  const check = (genome: Genome) => validateGenome(genome).map(({ path, message }) => `${path} ${message}`);
  const proposal = await vary(parts, slot, [], check);
  return { proposal, asked, genome: (proposal as { genome: Genome }).genome };
}
const says =
  (content: string): Llm =>
  async () => ({ message: { role: 'assistant', content }, finish: 'stop', tokensIn: 1, tokensOut: 1 });

describe('a crossover of two lineages that changed the same rule', () => {
  const merged = rule('Look at the data, twice where it is quick.');

  test('takes the text that the model makes of both, and says so', async () => {
    const { proposal, asked, genome } = await cross(says(JSON.stringify({ value: merged })));
    expect(genome.rules.look).toEqual(merged);
    expect(proposal.hypothesis).toMatch(/; merged rules.look by the model$/);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ model: 'm', max_tokens: 8192 });
    const prompt = String(asked[0]!.messages[1]!.content);
    for (const text of ['Look at the data.', 'Twice.', 'Be quick.', 'hope 1', 'hope 2'])
      expect(prompt).toContain(text);
  });

  test('is otherwise the crossover that it was without a model', async () => {
    const [one, two] = [
      await cross(says(JSON.stringify({ value: merged }))),
      await cross(says('I would rather not.')),
    ];
    expect({ ...one.genome.rules, look: null }).toEqual({ ...two.genome.rules, look: null });
    expect(one.proposal.parents).toEqual(two.proposal.parents);
  });

  test.each([
    ['prose', 'I would rather not.', /no JSON object/],
    ['no value', '{}', /must be an object with "when" and "text"/],
    ['a text', '{"value": "Look."}', /must be an object/],
    ['a skill', '{"value": {"description": "x", "body": "y"}}', /has no field "description"/],
    ['another trigger', '{"value": {"when": "never", "text": "x"}}', /rules.look/],
    ['half a rule', '{"value": {"when": "always"}}', /rules.look/],
    ['a prototype', '{"value": {"__proto__": {}, "when": "always", "text": "x"}}', /__proto__/],
    ['hidden words', '{"value": {"when": "always", "text": "x\u200b"}}', /invisible/],
    ['10 MB', `{"value": {"when": "always", "text": "${'x'.repeat(10_000_000)}"}}`, /more than 200000/],
  ])('leaves it to chance where the answer cannot be used: %s', async (_, content, reason) => {
    const { proposal, genome } = await cross(says(content));
    expect([careful.rules.look, quick.rules.look]).toContainEqual(genome.rules.look);
    expect(proposal.hypothesis).toMatch(/; rules.look could not be merged: /);
    expect(proposal.hypothesis).toMatch(reason);
  });

  test('leaves it to chance where the model does not answer, and stops where it never will', async () => {
    const fails =
      (error: LlmError): Llm =>
      async () => {
        throw error;
      };
    const { proposal, genome } = await cross(fails(new LlmError('timeout', 'too slow')));
    expect(proposal.hypothesis).toContain(
      'rules.look could not be merged: the model did not answer: too slow',
    );
    expect([careful.rules.look, quick.rules.look]).toContainEqual(genome.rules.look);
    await expect(cross(fails(new LlmError('budget', 'spent')))).rejects.toThrow('spent');
  });

  test('the offline model keeps the sentences of both', async () => {
    const { genome, proposal } = await cross(offlineLlm());
    expect(proposal.hypothesis).toContain('merged rules.look by the model');
    const sentences = (genome.rules.look as Rule).text.split(/(?<=\.) /).sort();
    expect(sentences).toEqual(['Be quick.', 'Look at the data.', 'Twice.']);
  });

  test('skills are merged alike, and keep their files', async () => {
    const skill = (body: string) => ({ description: 'd', body, files: { 'references/a.md': 'A' } });
    const at = (body: string, text: string) =>
      plainGenome({ skills: { s: skill(body) }, rules: { r: rule(text) } });
    const genomes = [at('one', 'x'), at('one\n\ntwo', 'y'), at('one\n\nthree', 'x')];
    const here = world(genomes);
    const parts: VaryParts = {
      identity: here.identity,
      state: here.state,
      genomes: { load: here.load },
      mutator: advisor(offlineLlm()),
      readTrajectory: async () => null,
    };
    const slot = { generation: 2, slot: 0, operator: 'crossover' as const, parent: genomeId(genomes[1]!) };
    const proposal = await vary(parts, slot, [], () => []);
    expect((proposal as { genome: Genome }).genome.skills.s).toEqual(skill('one\n\ntwo\n\nthree'));
  });
});

describe('no model is asked', () => {
  const never: Llm = async () => {
    throw new Error('asked');
  };

  test('where only one of the two changed a rule since their ancestor', async () => {
    const other = plainGenome({ rules: { look: rule('Look at the data.'), work: rule('Go.') } });
    await expect(cross(never, world([founder, careful, other]))).resolves.toBeDefined();
  });

  test('where they have no ancestor in common', async () => {
    const at = world();
    for (const id of at.state.survivors) at.state.candidates.get(id)!.parents = [];
    await expect(cross(never, at)).resolves.toBeDefined();
  });

  test('where both came to the same text, or one took it away', async () => {
    const same = plainGenome({ rules: { look: rule('Look at the data. Twice.'), work: rule('Go.') } });
    const without = plainGenome({ rules: { work: rule('Go.') } });
    await expect(cross(never, world([founder, careful, same]))).resolves.toBeDefined();
    await expect(cross(never, world([founder, careful, without]))).resolves.toBeDefined();
  });
});

describe('ancestry', () => {
  const state = emptyState();
  const add = (id: string, generation: number, parents: string[], path = 'rules.r') =>
    state.candidates.set(id, {
      id,
      parents,
      operator: 'mutate-text',
      lineage: 'a',
      generation,
      slot: generation,
      hypothesis: '',
      predicted: [],
      lessons: [],
      changes: [{ path, before: 'x', after: 'y' }],
    });
  add('a', 0, []);
  add('b', 1, ['a']);
  add('c', 2, ['b']);
  add('d', 2, ['b'], 'rules.other');
  add('e', 3, ['d', 'c']);
  add('z', 0, []);

  test('the nearest ancestor is found along both parents', () => {
    expect(commonAncestor(state, 'c', 'd')).toBe('b');
    expect(commonAncestor(state, 'c', 'e')).toBe('c');
    expect(commonAncestor(state, 'e', 'e')).toBe('e');
    expect(commonAncestor(state, 'c', 'z')).toBeNull();
    expect(commonAncestor(state, 'c', 'nobody')).toBeNull();
  });

  test('those who changed a gene since then are told in their order', () => {
    expect(changersOf(state, 'e', 'a', 'rules.r').map(({ id }) => id)).toEqual(['b', 'c', 'e']);
    expect(changersOf(state, 'e', 'b', 'rules.other').map(({ id }) => id)).toEqual(['d']);
  });
});
