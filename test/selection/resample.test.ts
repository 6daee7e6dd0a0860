import { expect, it } from 'vitest';
import type { Evaluator, Outcome } from '../../src/evaluation/trial.ts';
import type { RunIdentity } from '../../src/event.ts';
import { resample } from '../../src/resample.ts';
import { bestOfDraws, drawsBelow, luckOfTheBest, resampleCells } from '../../src/selection/resample.ts';
import { emptyState } from '../../src/state.ts';
import { plainWorld, runWorld, smallSearch, syntheticSuite } from '../fixtures/synthetic-world.ts';

const usage = { tokensIn: 0, tokensOut: 0, usd: 0, gpuMs: 0, turns: 1, jobs: 0 };

function scored(score: number): Outcome {
  return { kind: 'scored', score, raw: score, medal: 'none', aboveMedian: false, usage, jobs: [] };
}

const suite = syntheticSuite({ search: 1, validation: 1, sealed: 2 });
const sealed = suite.tasks.filter(({ role }) => role === 'sealed');
const identity: RunIdentity = {
  seed: 1,
  population: 4,
  suite: 'synthetic',
  suiteHash: suite.hash,
  model: 'offline',
  foundersHash: 'f',
  search: smallSearch,
};

function drawn() {
  const state = emptyState();
  state.baseline = 'baseline';
  return { identity, state };
}

it('spends the trials evenly on sealed tasks and repeats, beside the draw that each gets anyway', () => {
  const cells = resampleCells(drawn(), sealed, 32);
  expect(cells).toHaveLength(10);
  // Three more for each, and the two left over for both tasks at the first repeat.
  expect(cells.map(({ draws }) => draws.length)).toEqual([5, 4, 4, 4, 4, 5, 4, 4, 4, 4]);
  const all = cells.flatMap(({ draws }) => draws.map(({ id }) => id));
  expect(new Set(all).size).toBe(42);
  expect(cells[3]!.draws.map(({ repeat }) => repeat)).toEqual([3, 8, 13, 18]);
  const repeats = cells.flatMap(({ draws }) => draws.map(({ repeat }) => repeat));
  expect(Math.max(...repeats)).toBeLessThan(drawsBelow(32, 2, 5));
});

it('hands in the draw that the agent thinks best, whatever it scored', () => {
  const known = drawn();
  const cells = resampleCells(known, sealed, 10);
  const figures = new Map<string, number>();
  for (const { draws } of cells) {
    known.state.outcomes.set(draws[0]!.id, scored(0.5));
    known.state.outcomes.set(draws[1]!.id, scored(0.2));
    figures.set(draws[0]!.id, 0.1).set(draws[1]!.id, 0.9);
  }
  const gains = (of: (id: string) => number | null) =>
    bestOfDraws(known, cells, of).map(({ gain }) => Number(gain.toFixed(9)));
  expect(gains((id) => figures.get(id)!)).toEqual([-0.3, -0.3]);
  expect(gains(() => null)).toEqual([0, 0]);
  const lower = cells.map((cell) => ({ ...cell, task: { ...cell.task, direction: 'min' as const } }));
  expect(bestOfDraws(known, lower, (id) => figures.get(id)!).map(({ gain }) => gain)).toEqual([0, 0]);
});

it('leaves out what was lost', () => {
  const known = drawn();
  const cells = resampleCells(known, sealed, 10);
  for (const { draws } of cells.slice(0, 5)) {
    for (const { id } of draws) known.state.outcomes.set(id, scored(1));
  }
  expect(bestOfDraws(known, cells, () => null).map(({ task }) => task.id)).toEqual([sealed[0]!.id]);
});

it('tells what the best of many equal candidates seems to gain', () => {
  expect(luckOfTheBest([[0, 1]], 1)).toBeCloseTo(0, 1);
  // The best of so many blocks of one task is 1 almost surely, and the truth is 0.5.
  expect(luckOfTheBest([[0, 1]], 50)).toBeCloseTo(0.5, 6);
  expect(luckOfTheBest([[0.4]], 50)).toBeCloseTo(0, 9);
  expect(luckOfTheBest([], 50)).toBeNull();
});

it('goes on to the same end wherever it was cut, at its very beginning too', async () => {
  const world = plainWorld({ suite, search: { ...smallSearch, searchTrials: 12 } });
  const evaluator: Evaluator = {
    async evaluate(specs, onOutcome) {
      for (const spec of specs) onOutcome(spec, scored((spec.repeat % 7) / 10));
      return [];
    },
    close: async () => {},
  };
  const options = { body: resample, parts: { evaluator } };
  const whole = await runWorld(world, options);
  expect(whole.state.trials.size).toBe(10 + 12);
  for (let cut = 0; cut < whole.events.length; cut++) {
    const before = whole.events.slice(0, cut);
    const again = await runWorld(world, { ...options, before });
    expect(again.result).toEqual(whole.result);
    expect(again.state.candidates).toEqual(whole.state.candidates);
  }
});
