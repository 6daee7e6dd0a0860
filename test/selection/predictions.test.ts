import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/evaluation/trial.ts';
import type { Candidate, RunIdentity } from '../../src/event.ts';
import { block } from '../../src/selection/measure.ts';
import { checkPredictions } from '../../src/selection/predictions.ts';
import { apply, emptyState } from '../../src/state.ts';
import { plainWorld, runWorld, smallSearch, syntheticSuite } from '../fixtures/synthetic-world.ts';

const tasks = syntheticSuite({ search: 5, validation: 0, sealed: 0 }).tasks;
const identity: RunIdentity = {
  ...{ seed: 1, population: 4, suite: 's', suiteHash: 'h', model: 'm', foundersHash: 'f' },
  search: smallSearch,
};
const child = (id: string, predicted: string[]): Candidate => ({
  ...{ id, parents: ['parent'], operator: 'mutate-text', lineage: 'l', generation: 3, slot: 1 },
  ...{ hypothesis: '', predicted, changes: [], lessons: [] },
});
const lost: Outcome = { kind: 'lost', reason: 'gone' };
const scored = (score: number): Outcome => ({
  ...{ kind: 'scored', score, raw: score, medal: 'none', aboveMedian: false, jobs: [] },
  usage: { tokensIn: 0, tokensOut: 0, usd: 0, turns: 1, jobs: 0, gpuMs: 0 },
});

/** A state in which genomes have these outcomes on the tasks in turn, at the repeat of generation 3. */
function stateWith(outcomes: Record<string, (Outcome | null)[]>, repeat = 3) {
  const state = emptyState();
  for (const [genome, list] of Object.entries(outcomes)) {
    for (const [i, trial] of block({ identity, state }, genome, tasks, repeat).entries()) {
      const outcome = list[i];
      if (outcome) apply(state, { type: 'tried', generation: repeat, trial, outcome });
    }
  }
  return state;
}

describe('a prediction', () => {
  test('hits where the child beats its parent on the same task and repeat, and is unknown without data', () => {
    const state = stateWith({
      parent: [scored(0.5), scored(0.5), lost, scored(0.1), scored(0.4)],
      child: [scored(0.6), scored(0.5), scored(0.9), failed, null],
    });
    const bred = [child('child', ['search-0', 'search-1', 'search-2', 'search-4'])];
    expect(checkPredictions({ identity, state }, { generation: 3, bred, tasks })).toEqual({
      child: {
        hit: ['search-0'],
        missed: ['search-1'],
        unknown: ['search-2', 'search-4'],
        others: { checked: 1, improved: 0 },
      },
    });
  });

  test('another repeat says nothing; children without expectations and founders are left out', () => {
    const state = stateWith({ parent: tasks.map(() => scored(0.1)), child: tasks.map(() => scored(0.9)) }, 2);
    const founder = { ...child('founder', ['search-0']), parents: [] };
    const bred = [child('child', ['search-0']), child('silent', []), founder];
    const found = checkPredictions({ identity, state }, { generation: 3, bred, tasks });
    expect(found).toEqual({
      child: { hit: [], missed: [], unknown: ['search-0'], others: { checked: 0, improved: 0 } },
    });
  });
});

describe('a run', () => {
  test('journals its checks at the barrier, and the state sums them up beside the chance of improvement', async () => {
    const { events, state } = await runWorld(plainWorld(), { generations: 4 });
    const checks = events.flatMap((event) =>
      event.type === 'generation' ? Object.entries(event.predictions ?? {}) : [],
    );
    expect(checks.length).toBeGreaterThan(0);
    expect([...state.predictions]).toEqual(checks);
    for (const [id, { hit, missed, unknown }] of checks) {
      expect([...hit, ...missed, ...unknown].sort()).toEqual(state.candidates.get(id)!.predicted.sort());
    }
    const sum = (of: (check: (typeof checks)[number][1]) => number) =>
      checks.reduce((total, [, check]) => total + of(check), 0);
    expect(state.foresight).toEqual({
      checked: sum(({ hit, missed }) => hit.length + missed.length),
      hits: sum(({ hit }) => hit.length),
      others: sum(({ others }) => others.checked),
      improved: sum(({ others }) => others.improved),
    });
    expect(state.foresight.others).toBeGreaterThan(0);
  });

  test('of an older version, whose barriers hold no checks, is still read', async () => {
    const { events } = await runWorld(plainWorld(), { generations: 2 });
    const older = events.map((event) => {
      if (event.type !== 'generation') return event;
      const { predictions: _, ...rest } = event;
      return rest;
    });
    const state = older.reduce(apply, emptyState());
    expect(state.predictions.size).toBe(0);
    expect(state.foresight).toEqual({ checked: 0, hits: 0, others: 0, improved: 0 });
  });
});

const failed: Outcome = {
  ...{ kind: 'failed', reason: 'no submission', jobs: [] },
  usage: { tokensIn: 0, tokensOut: 0, usd: 0, turns: 1, jobs: 0, gpuMs: 0 },
};
