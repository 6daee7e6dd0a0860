import { describe, expect, it } from 'vitest';
import type { Result } from '../../src/event.ts';
import { type FoldsInput, foldsReportOf, tooFewTasks } from '../../src/report/folds.ts';
import { foldsMarkdown, foldsSummary, foldsVerdict } from '../../src/report/folds-text.ts';
import { type Report, reportOf } from '../../src/report/model.ts';
import type { TaskRow } from '../../src/report/trials.ts';
import { emptyState } from '../../src/state.ts';

type Gains = Record<string, number>;

/** A fold whose search ended so: what its champion gained on each of its sealed tasks, from 0.4. */
function foldOf(name: string, gains: Gains, change: Partial<Result> = {}, champion = `of-${name}`) {
  const side = { search: 0.4, validation: null, sealed: 0.4 };
  const result: Result = {
    stop: 'finished',
    generations: 2,
    champion: { ...side, id: champion, lineage: 'cool', credited: false, search: 0.7, sealed: 0.5 },
    baseline: { id: 'base', ...side },
    ...{ gain: null, near: null, far: null, power: null, claims: [], steps: 0, verdict: 'not measured' },
    ...change,
  };
  const plain = reportOf({
    ...{ folder: `out/${name}`, state: emptyState(), result, events: [], tasks: [], jobs: [], wallMs: 1000 },
    diff: () => [],
    models: { spending: null, narrowed: [] },
  });
  const medals = { gold: 0, silver: 0, bronze: 0, trials: 5 };
  const tasks = Object.entries(gains).map(
    ([task, gain]): TaskRow => ({
      ...{ task, role: 'sealed', family: 'a', distance: 'near', repeats: 5 },
      ...{ baseline: 0.4, champion: 0.4 + gain, medals: { baseline: medals, champion: medals } },
    }),
  );
  // A search task of one fold is a sealed task of another, and counts there alone.
  const searched: TaskRow = { ...tasks[0]!, task: 'elsewhere', role: 'search', champion: 1 };
  const report: Report = {
    ...plain,
    tasks: [...tasks, searched],
    trials: { run: 10, cached: 1, lost: 0 },
    cost: { usd: 0.5, tokensIn: 7, tokensOut: 3, gpuMs: 0 },
  };
  const sealed = Object.keys(gains).map((id) => ({
    id,
    family: 'a',
    distance: id.startsWith('far') ? ('far' as const) : ('near' as const),
  }));
  return { name, sealed, report };
}

function over(folds: FoldsInput['folds'], more: Partial<FoldsInput> = {}) {
  return foldsReportOf({
    ...{ folder: 'out', seed: 1, suite: 'small', model: 'offline', generations: 2, folds },
    ...more,
  });
}

const ONE = foldOf('fold-1', { t1: 0.1, t2: 0.2, t3: 0.1, t4: 0.2 });
const TWO = foldOf('fold-2', { t5: 0.1, t6: 0.2, far1: 0.3, far2: 0.4 });

describe('foldsReportOf', () => {
  it('counts every task once, by the champion of the fold in which it was sealed', () => {
    const report = over([ONE, TWO]);
    expect(report.tasks.map(({ task, fold }) => [task, fold])).toEqual([
      ...[['far1', 'fold-2'] as const, ['far2', 'fold-2'] as const],
      ...['t1', 't2', 't3', 't4'].map((task) => [task, 'fold-1']),
      ...['t5', 't6'].map((task) => [task, 'fold-2']),
    ]);
    expect(report.gain!.mean).toBeCloseTo(0.2, 12);
    // All eight have one sign: two of the 256 ways to sign them are as extreme.
    expect(report.gain!.p).toBe(2 / 256);
    expect(report.verdict).toBe('better');
    expect(report.near).toMatchObject({ tasks: 6, gain: expect.closeTo(0.15, 12) });
    expect(report.far).toMatchObject({ tasks: 2, gain: expect.closeTo(0.35, 12) });
    expect(report).toMatchObject({ stop: 'finished', trials: { run: 20, cached: 2 }, wallMs: 2000 });
    expect(report.cost).toEqual({ usd: 1, tokensIn: 14, tokensOut: 6, gpuMs: 0 });
    expect(report.folds[0]).toMatchObject({ searchGain: expect.closeTo(0.3, 12), sealed: 4 });
  });

  it('has its interval by Student over task means', () => {
    const { gain } = over([foldOf('fold-1', { t1: 0.1, t2: 0.3 }), foldOf('fold-2', { t3: 0.2 })]);
    // Three values, sd 0.1, t(0.975; 2) = 4.303.
    expect(gain!.ci95[0]).toBeCloseTo(0.2 - (4.303 * 0.1) / Math.sqrt(3), 3);
    expect(gain!.ci95[1]).toBeCloseTo(0.2 + (4.303 * 0.1) / Math.sqrt(3), 3);
  });

  it('gives no verdict under seven tasks, however large the gain, and says so beforehand', () => {
    const six = over([
      foldOf('fold-1', { a: 0.9, b: 0.9, c: 0.9 }),
      foldOf('fold-2', { d: 0.9, e: 0.9, f: 0.9 }),
    ]);
    expect(six.verdict).toBe('cannot tell apart');
    expect(foldsVerdict(six)).toBe(
      'No verdict possible with 6 sealed tasks (at least 7 needed): gain +0.900 (95% +0.900 to +0.900, p = 0.031).',
    );
    expect(tooFewTasks(6)).toMatch(/6 tasks allow no verdict.*p = 0\.031.*it takes 7/);
    expect(tooFewTasks(7)).toBeNull();
    const worse = over([
      foldOf('fold-1', { a: -0.1, b: -0.1, c: -0.1, d: -0.1 }),
      foldOf('fold-2', { e: -0.1, f: -0.2, g: -0.1 }),
    ]);
    expect(worse.verdict).toBe('worse');
  });

  it('says nothing of sealed gains until every fold is finished, nor crowns anybody', () => {
    const cut = over([ONE, foldOf('fold-2', { t5: 0.3 }, { stop: 'budget-trials' }, 'of-fold-1')]);
    expect(cut).toMatchObject({ stop: 'budget-trials', gain: null, verdict: 'not measured', champion: null });
    expect(cut.folds[1]).toMatchObject({ searchGain: null, sealedGain: null });
    const none = over([ONE, { ...TWO, report: null }], { stop: 'max-time' });
    expect(none).toMatchObject({ stop: 'max-time', gain: null, verdict: 'not measured', champion: null });
    expect(none.folds[1]).toMatchObject({ stop: null, champion: null });
    expect(foldsVerdict(none)).toBe('No verdict yet: 1 of 2 folds are finished (max-time).');
  });

  it('gives no verdict over fewer tasks where a fold was extended and has another champion now', () => {
    const extended = foldOf('fold-2', { t5: 0.1, t6: 0.2, t7: 0.1, t8: 0.1 });
    const champion = { ...extended.report.champion!, sealed: null };
    const report = over([ONE, { ...extended, report: { ...extended.report, champion } }]);
    expect(report).toMatchObject({ stop: 'finished', gain: null, verdict: 'not measured' });
    expect(report.outdated).toEqual(['fold-2']);
    expect(report.tasks.map(({ fold }) => fold)).toEqual(Array(4).fill('fold-1'));
    expect(foldsVerdict(report)).toMatch(/^No verdict: fold-2 was extended, and has another champion/);
  });

  it('names a champion only where all folds have the same', () => {
    expect(over([ONE, TWO]).champion).toBeNull();
    const same = over([ONE, foldOf('fold-2', { t5: 0.1 }, {}, 'of-fold-1')]);
    expect(same.champion).toBe('of-fold-1');
    expect(foldsSummary(same, false)).toContain('All folds have the same champion: of-fold-1.');
    expect(foldsSummary(over([ONE, TWO]), false)).toContain('2 different champions, and this crowns none');
    const nothing = over([foldOf('fold-1', { t1: 0 }, {}, 'base'), foldOf('fold-2', { t2: 0 }, {}, 'base')]);
    expect(foldsSummary(nothing, false)).toContain('No fold found anything better than the baseline.');
    expect(nothing.gain).toMatchObject({ mean: 0, p: 1 });
  });
});

describe('the texts', () => {
  it('say whose gain it is, in at most 110 columns', () => {
    const text = foldsSummary(over([ONE, TWO]), false);
    expect(text).toMatch(
      /^The search finds better harnesses than the baseline: \+0\.200 over 8 sealed tasks/,
    );
    expect(text).toContain('It is the gain of the search, over 2 folds, and not of one genome.');
    const rest = text.split('\n').slice(1);
    expect(Math.max(...rest.map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  it('let no name of a task or suite be markup', () => {
    const odd = over([foldOf('fold-1', { '<b>|x': 0.1 }), TWO], { suite: 'a | <script>' });
    const lines = foldsMarkdown(odd).split('\n');
    const row = lines.find((line) => line.includes('x \\| ') || line.includes('|x'))!;
    expect(row).toContain('\\<b\\>\\|x');
    expect(lines.join('\n')).not.toMatch(/[^\\]<script/);
  });
});
