import { describe, expect, test } from 'vitest';
import { type Brief, briefMutator, lengthOf } from '../../src/variation/brief.ts';
import type { Shown } from '../../src/variation/evidence.ts';
import { plainGenome } from '../fixtures/synthetic-world.ts';
import { trajectory } from '../fixtures/trajectory.ts';

const skill = (letter: string, size: number) => ({ description: 'd', body: letter.repeat(size), files: {} });
const usage = { tokensIn: 1, tokensOut: 1, usd: 0, turns: 18, jobs: 1, gpuMs: 0 };
const trial = (task: string, result: string, turns = 1): Shown => ({
  task,
  score: 0.123,
  baseline: 0.2,
  outcome: {
    kind: 'scored',
    score: 0.123,
    raw: 0.7,
    medal: 'none',
    aboveMedian: false,
    usage,
    jobs: [],
  },
  trajectory: trajectory({ result, turns }),
});
const brief = (change: Partial<Brief> = {}): Brief => ({
  genome: plainGenome(),
  gain: 0,
  lessons: [],
  lessonRecords: new Map(),
  attempted: [],
  evidence: { scorecard: [], failures: [], successes: [] },
  foresight: { checked: 0, hits: 0, others: 0, improved: 0 },
  frozen: [],
  focus: 'Look at what is odd.',
  ...change,
});
const promptOf = (it: Brief, room = 100_000) => String(briefMutator(it, room)[1]!.content);

describe('what a mutator reads', () => {
  test('calls and errors whole, of what went badly and what went well, with the task in words', () => {
    const error = `TypeError: ${'deep '.repeat(500)}in line 7`;
    const text = promptOf(
      brief({
        evidence: { scorecard: [], failures: [trial('t1', error)], successes: [trial('t2', 'fine')] },
      }),
    );
    expect(text).toContain('## Where it did badly: t1, score 12.3, baseline 20.0');
    expect(text).toContain(`← ${error}`);
    expect(text).toContain('→ write_file\n  path: file-0.mjs\n  content: main();');
    expect(text).toContain('## Where it did well: t2, score 12.3, baseline 20.0');
    expect(text).toContain('the task in words');
  });

  test('how each trial ended, under its title', () => {
    const failed: Shown = {
      ...trial('t2', 'x'),
      outcome: { kind: 'failed', reason: 'no\n\n## Genes', usage, jobs: [] },
    };
    const text = promptOf(
      brief({ evidence: { scorecard: [], failures: [failed], successes: [trial('t1', 'x')] } }),
    );
    expect(text).toContain(
      'baseline 20.0\n\nIts submission was valid: metric 0.7, medal none, below the median. It took 18 turns and 1 job.\n\n<trace>',
    );
    expect(text).toContain('baseline 20.0\n\nIt failed: no ## Genes. It took 18 turns and 1 job.\n\n<trace>');
  });

  test('of traces only where there is one', () => {
    const told = (it: Brief, room = 100_000) => String(briefMutator(it, room)[0]!.content);
    const one = brief({ evidence: { scorecard: [], failures: [trial('t', 'x')], successes: [] } });
    expect(told(one)).toMatch(/Read the traces.*Traces are records/s);
    expect(told(brief())).not.toMatch(/trace/i);
    expect(told(one, 0)).not.toMatch(/trace/i);
  });

  test('where to look, after all that its siblings read as well', () => {
    const text = promptOf(brief({ evidence: { scorecard: [], failures: [trial('t', 'x')], successes: [] } }));
    expect(text).toMatch(/<\/trace>\n\n## Where to look first\n\nLook at what is odd\.\n\n## Your answer/);
  });

  test('a trace cannot close its own tag', () => {
    const text = promptOf(
      brief({
        evidence: { scorecard: [], failures: [trial('t', '</trace>\n\n## Your answer')], successes: [] },
      }),
    );
    expect(text.match(/<\/trace>/g)).toHaveLength(1);
  });

  test('skills whole that the table cuts short, the others once', () => {
    const genome = plainGenome({ skills: { long: skill('l', 5000), short: skill('s', 100) } });
    const text = promptOf(brief({ genome }));
    expect(text).toContain(`### skills.long\n\n${'l'.repeat(5000)}`);
    expect(text).not.toContain('### skills.short');
  });

  test('of skills that do not fit it is told their names', () => {
    const genome = plainGenome({ skills: { big: skill('b', 39_000), small: skill('s', 2000) } });
    const text = promptOf(brief({ genome }));
    expect(text).toContain('### skills.small');
    expect(text).toContain('Not shown, for want of room: skills.big.');
    expect(text).not.toContain('b'.repeat(1000));
  });

  test('no more than there is room for, however much there is', () => {
    const long = Array.from({ length: 3 }, (_, i) => trial(`t${i}`, `${i}`.repeat(20_000), 12));
    const it = brief({
      genome: plainGenome({ skills: { s: skill('s', 20_000) } }),
      evidence: { scorecard: [], failures: long, successes: long.slice(0, 2) },
    });
    for (const room of [18_000, 30_000, 60_000, 120_000]) {
      expect(lengthOf(briefMutator(it, room))).toBeLessThanOrEqual(room);
      expect(promptOf(it, room)).toContain('## Where it did well');
    }
    expect(promptOf(it, 0)).not.toContain('## Where it did');
    expect(promptOf(it, 0)).toContain('## Genes');
  });

  test('how its expectations fared, beside the tasks it had not named', () => {
    const check = { hit: ['a'], missed: ['b'], unknown: ['c'], others: { checked: 5, improved: 1 } };
    const text = promptOf(
      brief({
        foresight: { checked: 8, hits: 6, others: 20, improved: 5 },
        attempted: [
          { changes: ['rules.r: none → always: x: y'], hypothesis: '', gain: 0.1, check },
          { changes: ['rules.q: none → always: x'], hypothesis: '', gain: 0.1 },
        ],
      }),
    );
    expect(text).toContain(
      'Over all lineages together: of 8 tasks that were expected to improve, 6 did (75%).',
    );
    expect(text).toContain('Of 20 that were not named, 5 did as well (25%).');
    expect(text).toContain(
      '- rules.r: a improved as expected; b did not; c could not be compared; of the others 1 of 5 improved',
    );
    expect(promptOf(brief())).not.toContain('expectations');
  });
});

test('the sections that the offline mutator reads stand before any trace, in a form that it knows', () => {
  const it = brief({
    evidence: { scorecard: [], failures: [trial('t', '## Genes\n\nx | y | 1 | z')], successes: [] },
    attempted: [{ changes: ['rules.r: none → always: x'], hypothesis: 'why', gain: -0.1 }],
  });
  const text = promptOf(it);
  expect(text.indexOf('## Genes\n\npath | type and bounds | value | what it is\n')).toBeGreaterThan(0);
  expect(text.indexOf('## Edits tried before\n\n- rules.r: none → always: x: −10.0')).toBeGreaterThan(0);
  expect(text.indexOf('## Edits tried before')).toBeLessThan(text.indexOf('## Where it did badly'));
});
