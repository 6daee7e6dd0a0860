import { describe, expect, test } from 'vitest';
import { diffGenomes } from '../../src/genome/diff.ts';
import { SCALAR_GENES } from '../../src/genome/gene-table.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import { rngAt } from '../../src/rng.ts';
import { briefMutator, geneTable } from '../../src/variation/brief.ts';
import { crossover } from '../../src/variation/crossover.ts';
import { mutateParams, step } from '../../src/variation/mutate-params.ts';
import { type EditRules, parseEdits } from '../../src/variation/parse-edits.ts';
import { plainGenome } from '../fixtures/synthetic-world.ts';

const parent = plainGenome({ rules: { slow: { when: 'start', text: 'Take your time.' } } });
const other = plainGenome({
  sampling: { ...parent.sampling, temperature: 0.4, top_p: 0.9 },
  rules: { fast: { when: 'always', text: 'Go.' } },
});

describe('typed steps', () => {
  test('always give another, valid genome, about two genes away; tools are seldom touched', () => {
    let tools = 0;
    let moved = 0;
    for (let i = 0; i < 300; i++) {
      const { genome, hypothesis } = mutateParams(parent, rngAt('step', i));
      const changes = diffGenomes(parent, genome);
      expect(validateGenome(genome)).toEqual([]);
      expect(changes.length).toBeGreaterThan(0);
      moved += changes.length;
      for (const { path } of changes) expect(hypothesis).toContain(path);
      if (changes.some(({ path }) => path.startsWith('tools.'))) tools++;
    }
    expect(tools).toBeLessThan(45);
    expect(moved / 300).toBeGreaterThan(1.5);
    expect(moved / 300).toBeLessThan(2.5);
  });

  test('move at a bound too, and about as far as the table says', () => {
    const gene = SCALAR_GENES.find(({ path }) => path === 'sampling.max_tokens')!;
    const ratios = Array.from({ length: 200 }, (_, i) =>
      Math.log(Number(step(gene, 1000, rngAt('s', i))) / 1000),
    );
    const spread = Math.sqrt(ratios.reduce((sum, x) => sum + x * x, 0) / 200);
    expect(spread).toBeGreaterThan(0.4);
    expect(spread).toBeLessThan(0.6);
    for (let i = 0; i < 20; i++) expect(step(gene, 8192, rngAt('b', i))).toBeLessThan(8192);
  });
});

describe('frozen genes', () => {
  const frozen = SCALAR_GENES.map(({ path }) => path).filter((path) => path.startsWith('sampling.'));
  const moved = (a: typeof parent, b: typeof parent) => diffGenomes(a, b).map(({ path }) => path);

  test('are never drawn by typed steps, and with none frozen the draws are the same', () => {
    for (let i = 0; i < 200; i++) {
      const { genome } = mutateParams(parent, rngAt('frozen', i), frozen);
      expect(moved(parent, genome).filter((path) => frozen.includes(path))).toEqual([]);
      expect(mutateParams(parent, rngAt('f', i), [])).toEqual(mutateParams(parent, rngAt('f', i)));
    }
  });

  test('stay with the first parent in a crossover', () => {
    const paths = new Set<string>();
    for (let i = 0; i < 50; i++) {
      for (const path of crossover(parent, other, rngAt('x', i), frozen).taken) paths.add(path);
    }
    expect([...paths].sort()).toEqual(['rules.fast', 'rules.slow']);
  });

  test('are no business of a model, nor in its table', () => {
    const edit = { op: 'set', path: 'sampling.top_p', value: 0.5, reason: 'to be more sure' };
    const rules = { tasks: [], frozen, check: () => [] };
    expect(parseEdits(JSON.stringify({ edits: [edit] }), parent, rules)).toEqual({
      ok: false,
      problems: ['edit 1: sampling.top_p: frozen for this run: the endpoint cannot express it'],
    });
    expect(geneTable(parent, frozen)).not.toContain('sampling.');
    expect(geneTable(parent, frozen)).toContain('loop.action');
  });
});

describe('crossover', () => {
  test('takes every gene from one parent or the other, some from each', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const { genome, taken } = crossover(parent, other, rngAt('x', i));
      expect(diffGenomes(parent, genome).map(({ path }) => path)).toEqual(taken);
      expect([genomeId(parent), genomeId(other)]).not.toContain(genomeId(genome));
      seen.add(taken.join(' '));
    }
    // 4 genes differ: 2⁴ − 2 ways
    expect(seen.size).toBe(14);
  });
});

describe('edits of a model', () => {
  const read = (
    reply: unknown,
    check: EditRules['check'] = (genome) =>
      validateGenome(genome).map(({ path, message }) => `${path} ${message}`),
    frozen: string[] = [],
  ) =>
    parseEdits(typeof reply === 'string' ? reply : JSON.stringify(reply), parent, {
      tasks: ['task-1', 'task-2'],
      frozen,
      check,
    });
  const set = (path: string, value: unknown, reason = 'seen in the traces') => ({
    op: 'set',
    path,
    value,
    reason,
  });

  test('are applied together, through thinking and fences', () => {
    const edits = [
      set('sampling.temperature', 0.7),
      { op: 'remove', path: 'rules.slow' },
      set('rules.new', { when: 'on-loop', text: 'Stop.' }),
    ];
    const parsed = read(
      `<think>{"edits": []}</think>\nHere:\n\`\`\`json\n${JSON.stringify({ hypothesis: 'cool\nit', expects: ['task-2', 'task-9'], edits })}\n\`\`\``,
    );
    expect(parsed).toMatchObject({
      ok: true,
      expects: ['task-2'],
      hypothesis: 'cool it (sampling.temperature: seen in the traces)',
    });
    const genome = (parsed as { genome: typeof parent }).genome;
    expect(genome.sampling.temperature).toBe(0.7);
    expect(genome.rules).toEqual({ new: { when: 'on-loop', text: 'Stop.' } });
  });

  test('a skill keeps what the model could not see', () => {
    const skill = { description: 'Old', body: 'b', files: { 'references/a.md': 'A' }, license: 'MIT' };
    const parsed = parseEdits(
      JSON.stringify({ edits: [set('skills.s', { description: 'New' })] }),
      plainGenome({ skills: { s: skill } }),
      { tasks: [], frozen: [], check: () => [] },
    );
    expect(parsed).toMatchObject({ ok: true, genome: { skills: { s: { ...skill, description: 'New' } } } });
  });

  test.each(['files', 'license', 'metadata', 'compatibility'])(
    'of a skill no field that the model cannot see is taken: %s',
    (field) => {
      const value = { description: 'd', body: 'b', [field]: {} };
      const parsed = read({ edits: [set('skills.s', value)] });
      expect(parsed).toEqual({
        ok: false,
        problems: [`edit 1: skills.s: a skill has no field "${field}" that could be edited`],
      });
    },
  );

  test.each([
    ['no JSON', 'I cannot', 'no JSON object'],
    ['cut short', '{"edits": [{"op": "set"', 'no JSON object'],
    ['no edits', { edits: [] }, 'at least one'],
    ['too many', { edits: Array(5).fill(set('sampling.top_p', 0.9)) }, 'at most 4'],
    ['one gene twice', { edits: [set('sampling.top_p', 0.9), set('sampling.top_p', 0.8)] }, 'edited twice'],
    ['a number without a reason', { edits: [set('sampling.top_p', 0.9, '')] }, 'only with a "reason"'],
    [
      'a number with a poor reason',
      { edits: [set('sampling.top_p', 0.9, ' why   not ')] },
      'only with a "reason"',
    ],
    ['out of bounds', { edits: [set('sampling.temperature', 9)] }, 'sampling.temperature'],
    ['wrong type', { edits: [set('sampling.temperature', '0.7')] }, 'sampling.temperature'],
    ['no such gene', { edits: [set('sampling.temprature', 0.7)] }, 'temprature'],
    ['a prototype', { edits: [set('rules.__proto__', { when: 'always', text: 'x' })] }, '__proto__'],
    ['a server', { edits: [set('mcp.shell', { command: 'sh' })] }, 'servers'],
    ['removed number', { edits: [{ op: 'remove', path: 'sampling.temperature' }] }, 'only rules and skills'],
    ['removed nothing', { edits: [{ op: 'remove', path: 'rules.none' }] }, 'no such gene'],
    ['unknown op', { edits: [{ op: 'add', path: 'rules.x', value: 1 }] }, '"op"'],
    ['no object', { edits: ['set rules.x'] }, 'no object'],
    ['a rule as text', { edits: [set('rules.x', 'Do it.')] }, 'rules.x'],
  ])('are refused with a reason: %s', (_, reply, reason) => {
    const parsed = read(reply);
    expect(parsed.ok).toBe(false);
    expect((parsed as { problems: string[] }).problems.join('\n')).toContain(reason);
  });

  test('the guard has a say', () => {
    const parsed = read({ edits: [set('sampling.top_p', 0.9)] }, () => ['not allowed here']);
    expect(parsed).toEqual({ ok: false, problems: ['not allowed here'] });
  });
});

describe('the prompt', () => {
  test('shows every gene on a line of its own, whatever a rule says', () => {
    const tricky = plainGenome({ rules: { odd: { when: 'always', text: 'one\ntwo | three' } } });
    const lines = geneTable(tricky).split('\n');
    expect(lines).toHaveLength(1 + SCALAR_GENES.length + 1);
    expect(lines.at(-1)).toContain('rules.odd | rule | {"when":"always","text":"one\\ntwo | three"}');
  });

  test('holds what was tried, and how far the harness stands above the baseline', () => {
    const evidence = {
      scorecard: [],
      failures: [],
      successes: [],
    };
    const attempted = [{ changes: ['sampling.top_p: 1 → 0.5'], hypothesis: 'why', gain: null }];
    const [system, user] = briefMutator(
      {
        genome: parent,
        gain: 0.05,
        evidence,
        lessons: [],
        lessonRecords: new Map(),
        attempted,
        foresight: { checked: 0, hits: 0, others: 0, improved: 0 },
        frozen: [],
        focus: '',
      },
      100_000,
    );
    expect(String(system!.content)).toMatch(/^You improve the harness of an agent/);
    for (const part of ['+5.0 points', 'sampling.top_p: 1 → 0.5: clearly behind, dropped (why)']) {
      expect(String(user!.content)).toContain(part);
    }
  });
});
