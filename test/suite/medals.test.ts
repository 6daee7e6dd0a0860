import { describe, expect, it } from 'vitest';
import { medalOf, medalPositions, medalThresholds, roundLikePython } from '../../src/suite/medals.ts';

describe('medalPositions', () => {
  /** Teams and positions of gold, silver, bronze in the 22 competitions of MLE-bench Lite. */
  const lite = [
    [1221, 12, 61, 122],
    [2929, 15, 146, 292],
    [162, 10, 32, 64],
    [50, 5, 10, 20],
    [1281, 12, 64, 128],
    [1315, 12, 65, 131],
    [1149, 12, 57, 114],
    [4539, 19, 226, 453],
    [1596, 13, 79, 159],
    [81, 8, 16, 32],
    [1485, 12, 74, 148],
    [879, 11, 50, 100],
    [1318, 12, 65, 131],
    [462, 10, 50, 100],
    [1547, 13, 77, 154],
    [3308, 16, 165, 330],
    [1242, 12, 62, 124],
    [1189, 12, 59, 118],
    [1152, 12, 57, 115],
    [261, 10, 50, 100],
    [163, 10, 32, 65],
    [129, 10, 25, 51],
  ];
  const edges = [
    [1, 1, 1, 1],
    [9, 1, 1, 3],
    [99, 9, 19, 39],
    [100, 10, 20, 40],
    [249, 10, 49, 99],
    [250, 10, 50, 100],
    [500, 11, 50, 100],
    [999, 11, 50, 100],
    [1000, 12, 50, 100],
  ];

  it.each([...lite, ...edges])('%i teams: %i, %i, %i', (n, gold, silver, bronze) => {
    expect(medalPositions(n!)).toEqual({ gold, silver, bronze });
  });
});

describe('medalOf', () => {
  const falling = { scores: Array.from({ length: 50 }, (_, i) => 1 - i / 100), direction: 'max' as const };
  const rising = { scores: falling.scores.map((score) => 1 - score), direction: 'min' as const };

  it('gives the medal to a tie with the threshold', () => {
    expect(medalThresholds(falling)).toEqual({ gold: 0.96, silver: 0.91, bronze: 0.81, median: 0.755 });
    expect(medalOf(falling, 0.96).medal).toBe('gold');
    expect(medalOf(falling, 0.95).medal).toBe('silver');
    expect(medalOf(falling, 0.9).medal).toBe('bronze');
    expect(medalOf(falling, 0.8).medal).toBe('none');
    expect(medalOf({ scores: [0.25, 0.5, 0.75], direction: 'min' }, 0.25).medal).toBe('gold');
    expect(medalOf(rising, 0.04).medal).toBe('gold');
    expect(medalOf(rising, 0.2).medal).toBe('none');
  });

  it('rounds the score before it compares, and not the leaderboard', () => {
    expect(medalOf(falling, 0.959996).medal).toBe('gold');
    expect(medalOf(falling, 0.959994).medal).toBe('silver');
    const fine = { scores: [0.5000049, ...Array.from({ length: 9 }, () => 0.1)], direction: 'max' as const };
    expect(medalOf(fine, 0.5000049).medal).toBe('silver');
  });

  it('is above the median only strictly', () => {
    const three = { scores: [0.9, 0.5, 0.1], direction: 'max' as const };
    expect(medalOf(three, 0.5).aboveMedian).toBe(false);
    expect(medalOf(three, 0.50001).aboveMedian).toBe(true);
    expect(medalOf({ scores: [0.1, 0.5, 0.9], direction: 'min' }, 0.4).aboveMedian).toBe(true);
  });
});

describe('roundLikePython', () => {
  /** Right-hand sides as printed by Python 3. */
  it.each([
    [0.015625, 0.01562],
    [0.046875, 0.04688],
    [-0.015625, -0.01562],
    [1.515625, 1.51562],
    [0.123455, 0.12345],
    [2.675, 2.675],
    [1234567.015625, 1234567.01562],
    [0, 0],
  ])('%f → %f', (x, rounded) => {
    expect(roundLikePython(x)).toBe(rounded);
  });
});
