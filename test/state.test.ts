import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../src/errors.ts';
import type { Event } from '../src/event.ts';
import { apply, emptyState, type State } from '../src/state.ts';
import { candidate, STARTED, scored, syntheticEvents, trial } from './store/events.ts';

const fold = (events: readonly Event[]): State => events.reduce(apply, emptyState());
const tried = (id: string, outcome: ReturnType<typeof scored> | { kind: 'lost'; reason: string }): Event => ({
  type: 'tried',
  generation: 0,
  trial: trial(id),
  outcome,
});
const LOST = { kind: 'lost', reason: 'endpoint gone' } as const;

function refusal(run: () => unknown): UserError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
  throw new Error('not refused');
}

describe('apply', () => {
  test('gives back the state it was given', () => {
    const state = emptyState();
    expect(apply(state, STARTED)).toBe(state);
    expect(state).toMatchObject({ baseline: 'c0', generations: 50, generation: -1 });
  });

  test('a dropped candidate stays a candidate', () => {
    const state = fold([
      { type: 'bred', candidate: candidate('c1') },
      { type: 'dropped', generation: 0, candidate: 'c1', behind: -0.3, error: 0.1 },
    ]);
    expect(state.candidates.get('c1')).toEqual(candidate('c1'));
    expect([...state.dropped]).toEqual(['c1']);
  });

  test('a barrier replaces the estimates it names and leaves the others', () => {
    const estimate = (shrunk: number) => ({
      n: 1,
      sum: 0,
      squares: 0,
      score: 0,
      repeats: 1,
      shrunk,
      error: 1,
    });
    const barrier = (generation: number, estimates: Record<string, ReturnType<typeof estimate>>): Event => ({
      type: 'generation',
      generation,
      estimates,
      survivors: Object.keys(estimates),
      lessonRecords: {},
      operators: {},
    });
    const state = fold([barrier(0, { a: estimate(1), b: estimate(2) }), barrier(1, { b: estimate(3) })]);
    expect([...state.estimates].map(([id, { shrunk }]) => [id, shrunk])).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    expect(state.survivors).toEqual(['b']);
    expect(state.generation).toBe(1);
  });

  test('refusals are counted for the run and listed since the last barrier', () => {
    const refused = { generation: 0, slot: 1, operator: 'crossover', parent: 'c0', reason: 'known' } as const;
    const state = fold([{ type: 'refused', ...refused }]);
    expect(state.refusals).toEqual([refused]);
    apply(state, {
      type: 'generation',
      generation: 0,
      estimates: {},
      survivors: [],
      lessonRecords: {},
      operators: {},
    });
    expect(state.refusals).toEqual([]);
    expect(state.refused).toBe(1);
  });

  test('a lost outcome gives way to a later one, and is not counted any more', () => {
    const state = fold([tried('t', LOST), tried('t', scored(0.5))]);
    expect(state.outcomes.get('t')).toEqual(scored(0.5));
    expect(state.spent).toMatchObject({ scored: 1, lost: 0, tokensIn: 900 });
  });

  test('a known outcome never changes', () => {
    const state = fold([tried('t', scored(0.5))]);
    for (const other of [scored(0.6), LOST]) {
      expect(refusal(() => apply(state, tried('t', other)))).toMatchObject({
        exitCode: 5,
        message: expect.stringContaining('trial t'),
      });
    }
    expect(state.outcomes.get('t')).toEqual(scored(0.5));
    expect(state.spent).toMatchObject({ scored: 1, lost: 0 });
  });

  test('the same outcome again, at most with other times, changes nothing', () => {
    const again = scored(0.5);
    if (again.kind === 'scored') again.usage.gpuMs = 12;
    expect(fold([tried('t', scored(0.5)), tried('t', again)])).toEqual(fold([tried('t', scored(0.5))]));
  });

  test('what trials cost does not depend on the order in which they finish', () => {
    const events = syntheticEvents(200).filter((event) => event.type === 'tried');
    const expected = fold(events).spent;
    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        expect(fold(shuffled).spent).toEqual(expected);
      }),
      { seed: 1, numRuns: 20 },
    );
  });

  test('a run that is extended is not ended any more', () => {
    const state = fold([STARTED, { type: 'champion', generation: 1, candidate: 'c1' }]);
    apply(state, { type: 'extended', generations: 80 });
    expect(state).toMatchObject({ generations: 80, champion: null, result: null });
  });

  test('refuses an event it does not know, and a second start', () => {
    const unknown = { type: 'surprise' } as unknown as Event;
    expect(refusal(() => apply(emptyState(), unknown)).message).toContain('"surprise"');
    expect(refusal(() => fold([STARTED, STARTED]))).toMatchObject({ exitCode: 5 });
  });
});
