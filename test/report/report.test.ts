import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/evaluation/trial.ts';
import type { Candidate, Estimate, Event, Result, Untested } from '../../src/event.ts';
import type { JobRecord } from '../../src/jobs/runner.ts';
import { untested } from '../../src/report/claims.ts';
import { counted, verdictLine, verdictWords } from '../../src/report/format.ts';
import { markdown } from '../../src/report/markdown.ts';
import { type ReportInput, reportOf } from '../../src/report/model.ts';
import { racingText, savedByRacing } from '../../src/report/racing.ts';
import { sandboxText } from '../../src/report/sandbox.ts';
import { stopLine, summary } from '../../src/report/terminal.ts';
import { apply, emptyState } from '../../src/state.ts';
import type { Medal, Role } from '../../src/suite/suite.ts';

const usage = { tokensIn: 100, tokensOut: 10, usd: 0.01, turns: 5, jobs: 2, gpuMs: 0 };

function candidate(id: string, lineage: string, more: Partial<Candidate> = {}): Event {
  const generation = more.parents ? 1 : 0;
  return {
    type: 'bred',
    candidate: {
      id,
      parents: [],
      operator: 'founder',
      lineage,
      generation,
      slot: 0,
      hypothesis: '',
      predicted: [],
      changes: [],
      lessons: [],
      ...more,
    },
  };
}

function tried(
  genome: string,
  task: string,
  repeat: number,
  score: number | null,
  medal: Medal = 'none',
): Event {
  const role = task.split('-')[0] as Role;
  const outcome: Outcome =
    score === null
      ? { kind: 'lost', reason: 'no disk' }
      : { kind: 'scored', score, raw: score, medal, aboveMedian: score > 0.5, usage, jobs: [] };
  const trial = { id: `${genome}/${task}/${repeat}`, genome, task, role, repeat, seed: 1 };
  return { type: 'tried', generation: 0, trial, outcome };
}

const estimate = (shrunk: number, score: number): Estimate => ({
  n: 8,
  sum: 8 * shrunk,
  squares: 1,
  score,
  repeats: 1,
  shrunk,
  error: 0.05,
});

const result: Result = {
  stop: 'finished',
  generations: 2,
  champion: { id: 'child', lineage: 'cool', credited: true, search: 0.7, validation: 0.6, sealed: 0.6 },
  baseline: { id: 'base', search: 0.4, validation: 0.45, sealed: 0.4 },
  gain: { mean: 0.2, ci95: [0.1, 0.3], p: 0.0005 },
  near: { baseline: 0.4, champion: 0.7, gain: 0.3, ci95: [-1, 1], tasks: 1 },
  far: { baseline: 0.4, champion: 0.5, gain: 0.1, ci95: [-1, 1], tasks: 1 },
  verdict: 'better',
  power: { sd: 0.1, at5: 0.1, at10: 0.4, at20: 0.9, detectable: 0.17 },
  claims: [
    {
      ...{ number: 1, kind: 'champion', candidate: 'child', against: 'base', alpha: 0.0125, from: 2_010_000 },
      ...{ passes: 15, e: 120, gain: 0.15, interval: [0.02, 0.3], active: ['sampling.temperature'] },
      ...{ credited: true, scores: { candidate: 0.6, against: 0.45 } },
    },
    {
      ...{ number: 2, kind: 'step', candidate: 'child', against: 'cool', alpha: 0.00625, from: 2_020_000 },
      ...{ passes: 40, e: 3.2, gain: 0.01, interval: [-0.1, 0.12], active: [] },
      ...{ credited: false, scores: { candidate: 0.55, against: 0.54 } },
    },
  ],
  steps: 31,
};

const nothing = { search: null, validation: null, sealed: null };
const cutOff: Result = {
  stop: 'interrupted',
  generations: 0,
  champion: null,
  baseline: { id: 'base', ...nothing },
  gain: null,
  near: null,
  far: null,
  verdict: 'not measured',
  power: null,
  claims: [],
  steps: 0,
};

const change = { path: 'sampling.temperature', before: '1', after: '0.6' };

function events(): Event[] {
  const search = {
    tournament: 3,
    elites: 1,
    firstTasks: 3,
    finalRepeats: 3,
    finalists: 2,
    sealedRepeats: 5,
    claims: 5,
    claimShare: 0.25,
  };
  const trials = [
    tried('base', 'search-a', 0, 0.4),
    tried('base', 'search-b', 0, null),
    tried('cool', 'search-a', 0, 0.5, 'bronze'),
    tried('child', 'search-a', 0, 0.7, 'gold'),
    tried('child', 'search-b', 0, 0.9, 'gold'),
  ];
  const sealed = [tried('base', 'sealed-n', 0, 0.4), tried('child', 'sealed-n', 0, 0.6, 'silver')];
  return [
    {
      type: 'started',
      identity: {
        seed: 7,
        population: 4,
        suite: 'mini',
        suiteHash: 'h',
        model: 'offline',
        foundersHash: 'f',
        search,
      },
      baseline: 'base',
      generations: 2,
    },
    candidate('base', 'baseline'),
    candidate('cool', 'cool'),
    candidate('child', 'cool', {
      parents: ['cool', 'base'],
      operator: 'crossover',
      hypothesis: 'cool | heads <b>win</b>',
      changes: [change],
      lessons: ['l1'],
    }),
    { type: 'planned', generation: 0, stage: 'first', trials: ['a', 'b', 'c'] },
    { type: 'planned', generation: 0, stage: 'first', trials: ['b', 'c'], known: ['a'] },
    { type: 'planned', generation: 1, stage: 'first', trials: ['d'], known: ['a', 'b'] },
    ...trials,
    {
      type: 'lesson',
      generation: 0,
      lesson: {
        id: 'l1',
        symptom: 'slips',
        cause: 'heat',
        advice: 'cool down',
        genes: ['sampling.temperature'],
        evidence: [],
        lineage: 'baseline',
        generation: 0,
      },
    },
    {
      type: 'generation',
      generation: 1,
      estimates: { base: estimate(0, 0.4), cool: estimate(0.1, 0.5), child: estimate(0.3, 0.8) },
      survivors: ['child', 'base'],
      lessonRecords: { l1: { bred: 2, gain: 0.4, retired: false } },
      operators: { crossover: { bred: 1, refused: 0, survived: 1, gain: 0.2 } },
    },
    { type: 'champion', generation: 1, candidate: 'child' },
    ...sealed,
    { type: 'ended', result },
  ];
}

/** A job that ran for a minute under bubblewrap on one core. */
function job(trial: string, more: Partial<JobRecord> = {}): JobRecord {
  const [genome = '', task = ''] = trial.split('/');
  return {
    ...{ identity: 'a1', kind: 'done', trial, genome, task, job: 1, hit: false, waitMs: 0, runMs: 60_000 },
    ...{ slot: 'cpu-0', gpus: 0, cpus: 1, ruled: false, sandbox: 'bubblewrap' },
    ...{ at: '2026-01-01T00:00:00.000Z', ...more },
  };
}

function input(list: Event[], jobs: JobRecord[] = []): ReportInput {
  const state = list.reduce(apply, emptyState());
  const tasks = [{ id: 'sealed-n', family: 'tabular', distance: 'near' as const }];
  return {
    folder: 'runs/x',
    state,
    result: state.result ?? cutOff,
    events: list,
    tasks,
    diff: () => [change],
    jobs,
    models: { spending: null, narrowed: [] },
    wallMs: 61_000,
  };
}

test('lineages stand best first, with their best candidate, medals and changes', () => {
  const { lineages } = reportOf(input(events()));
  expect(lineages.map((row) => [row.founder, row.size, row.merges, row.alive])).toEqual([
    ['cool', 2, 1, 1],
    ['baseline', 1, 0, 1],
  ]);
  expect(lineages[0]!.best).toMatchObject({ id: 'child', gain: 0.3, score: 0.8 });
  expect(lineages[0]!.best!.medals).toEqual({ gold: 2, silver: 0, bronze: 0, trials: 2 });
  expect(lineages[0]!.changes).toEqual([change]);
  expect(lineages[1]!.changes).toEqual([]);
});

test('a task is compared over repeats on which both have a score: lost is missing, not 0', () => {
  const { tasks } = reportOf(input(events()));
  expect(tasks.map(({ task, repeats, baseline, champion }) => [task, repeats, baseline, champion])).toEqual([
    ['search-a', 1, 0.4, 0.7],
    ['sealed-n', 1, 0.4, 0.6],
  ]);
  expect(tasks[1]).toMatchObject({ role: 'sealed', family: 'tabular', distance: 'near' });
});

test('trials, cost, ancestry, lessons and the course', () => {
  const report = reportOf(input(events()));
  expect(report.trials).toEqual({ run: 7, cached: 2, lost: 1 });
  // What outcomes say was paid is of the call that recorded their replies: here no endpoint was asked.
  expect(report.cost).toMatchObject({ tokensIn: 600, tokensOut: 60, usd: 0 });
  expect(report.ancestry.map(({ id, merged }) => [id, merged])).toEqual([
    ['cool', null],
    ['child', 'baseline'],
  ]);
  expect(report.lessons.helped).toMatchObject([{ id: 'l1', gain: 0.4, inChampion: true }]);
  expect(report.course).toEqual([
    { generation: 1, measured: 3, dropped: 0, best: 0.3, median: 0.1, score: 0.8 },
  ]);
});

test('a run that was cut off has a report of what there is', () => {
  const report = reportOf(input(events().slice(0, 6)));
  expect(report).toMatchObject({ verdict: 'not measured', champion: null, generations: 0 });
  expect(summary(report, false)).toContain('No verdict yet');
  expect(markdown(report)).toContain('No verdict yet');
});

test('the summary names verdict, near and far, lineages and places; it has colour only on request', () => {
  const text = summary(reportOf(input(events())), false);
  expect(text).toContain(
    'The champion is better than the baseline: +0.200 on sealed tasks (95% +0.100 to +0.300',
  );
  expect(text).toMatch(/near \(1\) +0\.400 +0\.700 +\+0\.300 \(\+75%\)/);
  expect(text).toMatch(/sampling\.temperature: 1 → 0\.6/);
  expect(text).toContain('runs/x/genomes/child/');
  expect(text).not.toContain('\u001b');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  expect(summary(reportOf(input(events())), true)).toContain('\u001b[1m');
});

test('a long piece of advice is cut, and who gave it is not', () => {
  const list = events().map((event) =>
    event.type === 'lesson'
      ? { ...event, lesson: { ...event.lesson, advice: 'look again '.repeat(20) } }
      : event,
  );
  const text = summary(reportOf(input(list)), false);
  expect(text).toMatch(/ 2 children: look again .*… \(\w+; in the champion\)$/m);
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('a claim of an earlier champion is told from that of the champion; rows stay within the line', () => {
  const [own, step] = result.claims;
  const active = ['sampling.temperature', 'sampling.top_p', 'rules.check-siblings', 'loop.action'];
  const before = { ...own!, number: 2, candidate: 'earlier', active };
  const claims = [own!, before, { ...step!, number: 3, e: 900 }];
  const list = events().map((event) =>
    event.type === 'ended' ? { ...event, result: { ...result, claims } } : event,
  );
  const report = reportOf(input(list));
  expect(markdown(report)).toContain('| 1 | champion on baseline |');
  expect(markdown(report)).toContain('| 2 | earlier champion earlie |');
  const text = summary(report, false);
  expect(text).toContain('credited; active: sampling');
  expect(text).toContain('not credited: nothing active');
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
});

test('a champion that was tested as a step of an earlier one was tested', () => {
  const claims = [{ ...result.claims[0]!, kind: 'step' as const }];
  expect(untested({ ...result, claims }).join()).not.toContain('the champion itself');
  expect(untested({ ...result, claims: [] })).toContain('the champion itself: not tested');
});

test('a champion that was tested in no claim is not called «not credited», and it is said why', () => {
  const shown = (untested: Untested, id = 'child') => {
    const champion = { ...result.champion!, id, credited: false };
    const ended: Result = { ...result, champion, claims: [], untested };
    const list = events().map((event) => (event.type === 'ended' ? { ...event, result: ended } : event));
    const report = reportOf(input(list));
    const text = summary(report, false);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
    expect(report.untested).toEqual(untested);
    expect(`${text}${markdown(report)}`).not.toContain('not credited');
    const said = `${text}${markdown(report)}`
      .replace(/\s+/g, ' ')
      .split('the champion itself: not tested, as ');
    expect(said).toHaveLength(3);
    return said[1]!;
  };
  expect(shown({ why: 'no claims' })).toMatch(/^no claims were asked for \(--claims 0\)/);
  expect(shown({ why: 'no validation tasks' })).toMatch(/^the suite has no validation tasks/);
  expect(shown({ why: 'claims used up', claims: 5 })).toMatch(/^all 5 claims of the run went to earlier/);
  expect(shown({ why: 'too few trials', passes: 1, least: 3, share: 0.25 })).toMatch(
    /^the trials for claims \(25% of all\) leave it 1 pass over the validation tasks, and a credit takes at least 3/,
  );
  expect(shown({ why: 'is the baseline' }, 'base')).toMatch(/^it is the baseline/);
});

test('where the baseline is the champion nothing is compared; plain sampling compares its draws', () => {
  const same = { ...result, champion: { ...result.champion!, id: 'base' }, power: null };
  expect(verdictLine({ ...same, verdict: 'cannot tell apart' })).toMatch(/nothing to compare\.$/);
  const list = events().map((event) => (event.type === 'ended' ? { ...event, result: same } : event));
  expect(markdown(reportOf(input(list)))).not.toContain('95% interval +');
  expect(verdictLine({ ...same, generations: 0 })).toMatch(
    /^The best of several draws is better .* \+0\.200/,
  );
});

test('one is one, and not «1 proposals»', () => {
  const [started, ...rest] = events();
  const refused: Event = {
    ...{ type: 'refused', generation: 1, slot: 1, operator: 'mutate-text', parent: 'base', reason: 'known' },
  };
  const planned: Event = { type: 'planned', generation: 1, stage: 'first', trials: ['x', 'y'] };
  const dropped: Event = { type: 'dropped', generation: 1, candidate: 'x', behind: -0.2, error: 0.1 };
  const ended = rest.map((event) =>
    event.type === 'ended'
      ? { ...event, result: { ...result, steps: 1, claims: [], generations: 1 } }
      : event,
  );
  const report = reportOf(input([started!, refused, planned, dropped, ...ended]));
  const text = `${markdown(report)}\n${summary(report, false)}\n${stopLine(report)}`;
  expect(text).toContain('3 candidates, 1 proposal refused.');
  expect(text).toContain('finished after 1 generation');
  expect(text).toContain('1 of 1 step: not tested');
  expect(text).toMatch(/1 lesson was written/);
  expect(text).not.toMatch(/(?<![\d.,])1 (proposals|candidates|steps|lessons|generations|trials|children)/);
  expect(sandboxText([{ level: 'bubblewrap', trials: 1, ids: null }])).toBe('1 trial under bubblewrap');
  expect([0, 1, 2000].map((n) => counted(n, 'pass', 'passes'))).toEqual([
    '0 passes',
    '1 pass',
    '2,000 passes',
  ]);
});

test('with fewer than seven sealed tasks it is not said that the two cannot be told apart', () => {
  const few: Result = { ...result, verdict: 'cannot tell apart', gain: { ...result.gain!, p: 0.25 } };
  const list = events().map((event) => (event.type === 'ended' ? { ...event, result: few } : event));
  const line =
    'No verdict possible with 1 sealed task (at least 7 needed): gain +0.200 (95% +0.100 to +0.300, p = 0.250).';
  expect(summary(reportOf(input(list)), false).split('\n')[0]).toBe(line);
  expect(verdictWords(reportOf(input(list)))).toBe('none possible');
  expect(verdictWords(few)).toBe('cannot tell apart');
  const same = { ...few, champion: { ...few.champion!, id: few.baseline.id } };
  expect(verdictWords(same)).toBe('nothing to compare');
  expect(verdictWords({ ...same, generations: 0 })).toBe('cannot tell apart');
  expect(markdown(reportOf(input(list)))).toContain(`**${line}**`);
  const tasks = Array.from({ length: 7 }, () => ({ role: 'sealed' as const }));
  expect(verdictLine({ ...few, tasks })).toMatch(/^Champion and baseline cannot be told apart: \+0\.200 on/);
});

test('what racing saved counts each trial once, however often its stage was planned', () => {
  const planned = (trials: string[], known: string[] = []): Event => ({
    ...{ type: 'planned', generation: 1, stage: 'first', trials },
    ...(known.length > 0 ? { known } : {}),
  });
  const dropped: Event = { type: 'dropped', generation: 1, candidate: 'x', behind: -0.2, error: 0.1 };
  const whole = [planned(['a', 'b', 'c', 'd']), dropped];
  const cut = [planned(['a', 'b', 'c', 'd']), planned(['c', 'd'], ['a', 'b']), dropped];
  expect(savedByRacing(cut, 6, 2)).toEqual(savedByRacing(whole, 6, 2));
  expect(racingText(savedByRacing(cut, 6, 2)!)).toBe(
    '4 of 8 trials (50%): 1 candidate was dropped after the first tasks',
  );
});

test('jobs that were stopped early are told of beside the whole ones of those that might have been', () => {
  const trial = 'child/search-a/0';
  const free = [job(trial), job('base/search-a/0')];
  expect(markdown(reportOf(input(events(), free)))).not.toContain('stopped early');
  const ruled = [
    job(trial, { ruled: true, kind: 'pruned', runMs: 20_000 }),
    job(trial, { ruled: true, kind: 'pruned', runMs: 40_000 }),
    job(trial, { ruled: true, kind: 'pruned', hit: true, slot: null, runMs: 0 }),
    job(trial, { ruled: true, runMs: 90_000 }),
    job(trial, { ruled: true, kind: 'failed', runMs: 1000 }),
  ];
  const report = reportOf(input(events(), [...free, ...ruled]));
  expect(report.pruning).toEqual({ stopped: { jobs: 2, ms: 60_000 }, whole: { jobs: 1, ms: 90_000 } });
  const line = '2 stopped early, after 1 min 0 s in all; 1 whole ones took 1 min 30 s';
  expect(summary(report, false)).toContain(line);
  expect(markdown(report)).toContain(line);
});

describe('jobs', () => {
  const trials = ['base/search-a/0', 'cool/search-a/0', 'child/search-a/0', 'child/search-b/0'];
  const levelOf = (jobs: JobRecord[]) => reportOf(input(events(), jobs)).sandbox;

  test('what a lineage used stands with it: time on cores and on GPUs, hits for nothing', () => {
    const jobs = [
      job('base/search-a/0'),
      job('child/search-a/0', { cpus: 2, gpus: 0.5 }),
      job('child/search-b/0', { hit: true, runMs: 0, slot: null }),
      job('cool/search-a/0', { kind: 'pruned' }),
      job('cool/search-a/0', { kind: 'lost', runMs: 0, slot: null, sandbox: null }),
      job('cool/search-a/0', { kind: 'cancelled', runMs: 0, slot: null, sandbox: null }),
      job('cool/search-a/0', { kind: 'cancelled', runMs: 30_000 }),
    ];
    const report = reportOf(input(events(), jobs));
    expect(report.jobs).toEqual({ run: 4, hits: 1, ms: 210_000 });
    expect(report.lineages.map(({ used }) => used)).toEqual([
      { jobs: 3, hits: 1, failed: 0, pruned: 1, lost: 2, cpuMs: 210_000, gpuMs: 30_000 },
      { jobs: 1, hits: 0, failed: 0, pruned: 0, lost: 0, cpuMs: 60_000, gpuMs: 0 },
    ]);
    expect(markdown(report)).toMatch(/CPU time \| GPU time .*\n.*\n\| cool .* 3 min 30 s \| 30 s \|/);
    expect(markdown(reportOf(input(events(), jobs.slice(0, 1))))).not.toContain('CPU time | GPU time');
  });

  test('each trial has the least of the levels that its jobs had', () => {
    expect(levelOf(trials.map((trial) => job(trial)))).toEqual([
      { level: 'bubblewrap', trials: 4, ids: null },
      { level: 'no job', trials: 3, ids: ['base/sealed-n/0', 'base/search-b/0', 'child/sealed-n/0'] },
    ]);
    const mixed = [
      ...trials.map((trial) => job(trial, { hit: true, slot: null })),
      job('cool/search-a/0', { sandbox: 'none' }),
      job('base/search-a/0', { sandbox: null }),
      job('child/search-b/0', { kind: 'lost', sandbox: null }),
    ];
    const report = reportOf(input(events(), mixed));
    expect(report.sandbox.filter(({ level }) => level !== 'no job')).toEqual([
      { level: 'bubblewrap', trials: 2, ids: ['child/search-a/0', 'child/search-b/0'] },
      { level: 'none', trials: 1, ids: ['cool/search-a/0'] },
      { level: 'unknown', trials: 1, ids: ['base/search-a/0'] },
    ]);
    const line =
      '3 trials without any job, 2 under bubblewrap, 1 without a sandbox, 1 under what is not known';
    expect(summary(report, false)).toContain(`sandbox ${line}`);
    expect(markdown(report)).toContain(`| sandbox | ${line} |`);
  });

  test('one level is said in one word; of an older run, which noted no trials, nothing is known', () => {
    const ran = (jobs: string[]) =>
      events().map((event) =>
        event.type === 'tried' && event.outcome.kind !== 'lost'
          ? { ...event, outcome: { ...event.outcome, jobs } }
          : event,
      );
    const without = ran(['a1']).filter((event) => event.type !== 'tried' || event.outcome.kind !== 'lost');
    const all = ['base', 'cool', 'child'].flatMap((genome) =>
      ['search-a', 'search-b', 'sealed-n'].map((task) => job(`${genome}/${task}/0`)),
    );
    expect(sandboxText(reportOf(input(without, all)).sandbox)).toBe('all 6 trials under bubblewrap');
    const old = all.map((one) => ({ ...one, trial: null, genome: null, task: null, job: null }));
    const report = reportOf(input(without, old));
    expect(sandboxText(report.sandbox)).toBe('all 6 trials under what is not known');
    expect(report.lineages.map(({ used }) => used)).toEqual([null, null]);
  });
});

test('words of a model cannot break a table or smuggle in a tag', () => {
  const text = markdown(reportOf(input(events())));
  expect(text).toContain('cool \\| heads &lt;b>win&lt;/b>');
  expect(text).not.toContain('<b>');
});
