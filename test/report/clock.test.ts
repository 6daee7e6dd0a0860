import { describe, expect, it } from 'vitest';
import type { TrialSpec } from '../../src/evaluation/trial.ts';
import type { Event, Stage } from '../../src/event.ts';
import {
  barriersOf,
  clockOf,
  drawsWithin,
  generationsWithin,
  makespan,
  requestedTrials,
} from '../../src/report/clock.ts';

const pace = { turn: 1, job: 10, call: 5 };

function tried(id: string, turns: number, jobs: number): Event {
  const trial: TrialSpec = { id, genome: 'g', task: 't', role: 'search', repeat: 0, seed: 1 };
  const usage = { tokensIn: 0, tokensOut: 0, usd: 0, gpuMs: 0, turns, jobs };
  return {
    type: 'tried',
    generation: 0,
    trial,
    outcome: { kind: 'failed', reason: 'none', usage, jobs: [] },
  };
}

function planned(generation: number, stage: Stage, trials: string[], known: string[] = []): Event {
  return { type: 'planned', generation, stage, trials, ...(known.length > 0 ? { known } : {}) };
}

/** Two generations of two trials each, and finals; a claim and a sealed trial after them. */
const events: Event[] = [
  planned(0, 'first', ['a', 'b']),
  tried('b', 4, 0),
  tried('a', 2, 0),
  planned(1, 'first', ['c'], ['a']),
  tried('c', 0, 1),
  planned(1, 'rest', ['d']),
  tried('d', 6, 0),
  planned(2, 'finals', ['e']),
  tried('e', 7, 0),
  planned(2, 'sealed', ['f']),
  tried('f', 100, 100),
];

describe('the simulated clock', () => {
  it('gives each trial to the slot that is free first, in the order of their start', () => {
    expect(makespan([3, 1, 1, 1], 2)).toBe(3);
    expect(makespan([1, 1, 1, 3], 2)).toBe(4);
    expect(makespan([2, 3, 4], 1)).toBe(9);
    expect(makespan([], 4)).toBe(0);
  });

  it('waits at each barrier for the last trial, and counts no sealed ones', () => {
    expect(clockOf(barriersOf(events), 2, pace)).toEqual({ generations: [4, 20], end: 27 });
    expect(clockOf(barriersOf(events), 1, pace)).toEqual({ generations: [6, 22], end: 29 });
  });

  it('waits for the critic where it wrote a lesson', () => {
    const lesson = { type: 'lesson', generation: 0, lesson: { id: 'l' } } as unknown as Event;
    const told = [...events.slice(0, 3), lesson, lesson, ...events.slice(3)];
    expect(clockOf(barriersOf(told), 2, pace).generations).toEqual([9, 25]);
  });

  it('charges a trial once, though it is planned again after a cut', () => {
    const again = [...events.slice(0, 2), planned(0, 'first', ['a'], ['b']), ...events.slice(2)];
    expect(barriersOf(again)).toEqual(barriersOf(events));
    expect(requestedTrials(again)).toBe(requestedTrials(events));
    expect(requestedTrials(events)).toBe(5);
  });

  it('says at which generation a search stands at a time, and how many draws end by then', () => {
    const clock = clockOf(barriersOf(events), 2, pace);
    expect(generationsWithin(clock, 20)).toBe(2);
    expect(generationsWithin(clock, 19)).toBe(1);
    expect(generationsWithin(clock, 0)).toBe(1);
    expect(
      drawsWithin(
        [
          [2, 0],
          [4, 0],
        ],
        4,
        10,
        pace,
      ),
    ).toBe(12);
  });
});
