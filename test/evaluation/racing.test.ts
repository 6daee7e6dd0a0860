import { describe, expect, test } from 'vitest';
import { race } from '../../src/evaluation/racing.ts';

const paces = [
  { believed: 0.2, differences: [0.2, 0.3, 0.1] },
  { believed: 0.1, differences: [0.1, 0.1, 0.1] },
];
const entry = (id: string, value: number, prior = 0.1) => ({ id, prior, differences: [value, value, value] });
const dropped = (standings: ReturnType<typeof race>) =>
  standings.filter((it) => it.dropped).map((it) => it.id);

describe('racing', () => {
  test('drops who is clearly behind the last incumbent, and nobody who is not', () => {
    const standings = race([entry('ahead', 0.4), entry('level', 0.1), entry('behind', -0.5)], paces, 3);
    expect(dropped(standings)).toEqual(['behind']);
    expect(standings.map((it) => it.behind > 0)).toEqual([false, false, true]);
  });

  test('admits the best up to the places', () => {
    const entries = [entry('a', 0.2), entry('b', 0.5), entry('c', 0.4), entry('d', 0.3)];
    expect(dropped(race(entries, paces, 2))).toEqual(['a', 'd']);
  });

  test('what all met on these tasks is nobody’s merit: a lucky repeat of the baseline drops nobody', () => {
    const unlucky = paces.map((pace) => ({ ...pace, differences: pace.differences.map((x) => x - 0.4) }));
    expect(dropped(race([entry('level', -0.3)], unlucky, 1))).toEqual([]);
    expect(dropped(race([entry('level', -0.3)], paces, 1))).toEqual(['level']);
  });

  test('an expectation counts as three trials', () => {
    // level 0.1; belief (3 × 0.4 − 3 × 0.2) / 6 = 0.1 against (3 × 0 − 3 × 0.2) / 6 = −0.1
    const [good, poor] = race([entry('good', -0.2, 0.4), entry('poor', -0.2, 0)], paces, 2);
    expect(good!.behind).toBeCloseTo(0, 10);
    expect(poor!.behind).toBeCloseTo(0.2, 10);
    expect(dropped([good!, poor!])).toEqual(['poor']);
  });

  test('who has no data is not behind', () => {
    expect(dropped(race([{ id: 'lost', prior: 0, differences: [] }], paces, 1))).toEqual([]);
  });
});
