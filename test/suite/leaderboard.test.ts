import { describe, expect, it } from 'vitest';
import { readLeaderboard, shareBeaten } from '../../src/suite/leaderboard.ts';

const board = (...scores: number[]) => readLeaderboard(`score\n${scores.join('\n')}\n`);

describe('readLeaderboard', () => {
  it('reads the column score wherever it stands', () => {
    const text =
      'scoreNullable,teamId,hasTeamName,submissionDate,score,hasScore\n0.9,1,True,2020,0.9,True\n,2,True,,0.5,True\n';
    expect(readLeaderboard(text)).toEqual({ scores: [0.9, 0.5], direction: 'max' });
  });

  it('takes lower as better only where the first row is below the last', () => {
    expect(board(1, 5, 3).direction).toBe('min');
    expect(board(5, 9, 3).direction).toBe('max');
    expect(board(2, 3, 2).direction).toBe('max');
  });

  it.each([
    ['team\n1\n2\n', 'no column "score"'],
    ['score\n0.5\n', '1 rows'],
    ['team,score\na,1\nb,\n', 'row 2: score ""'],
    ['score\n1\ntwo\n', 'row 2: score "two"'],
  ])('refuses %j', (text, message) => {
    expect(() => readLeaderboard(text)).toThrow(message);
  });
});

describe('shareBeaten', () => {
  it('is half a row for a tie, and linear between rows', () => {
    const four = board(0.9, 0.7, 0.5, 0.1);
    expect(shareBeaten(four, 0.1)).toBe(0.125);
    expect(shareBeaten(four, 0.5)).toBe(0.375);
    expect(shareBeaten(four, 0.6)).toBeCloseTo(0.5, 12);
    expect(shareBeaten(four, 0.2)).toBeCloseTo(0.125 + 0.25 / 4, 12);
    expect(shareBeaten(four, 0.9)).toBe(0.875);
  });

  it('is 0 below the worst row and 1 above the best', () => {
    expect(shareBeaten(board(0.9, 0.1), 0.0999)).toBe(0);
    expect(shareBeaten(board(0.9, 0.1), 0.9001)).toBe(1);
    expect(shareBeaten(board(0.1, 0.9), 0.9001)).toBe(0);
    expect(shareBeaten(board(0.1, 0.9), 0.0999)).toBe(1);
  });

  it('counts each of several equal rows half', () => {
    expect(shareBeaten(board(3, 2, 2, 2, 1), 2)).toBe(0.5);
    expect(shareBeaten(board(1, 1), 1)).toBe(0.5);
  });

  it('turns round where lower is better', () => {
    expect(shareBeaten(board(0.1, 0.5, 0.7), 0.5)).toBe(0.5);
    expect(shareBeaten(board(0.1, 0.5, 0.7), 0.6)).toBeCloseTo(1 / 3, 12);
  });

  it('never falls as the score improves', () => {
    const scores = board(9, 8, 8, 7, 3, 3, 3, 1);
    const shares = Array.from({ length: 200 }, (_, i) => shareBeaten(scores, i / 20));
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });
});
