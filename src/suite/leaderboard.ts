import { parseCsv } from './csv.ts';

/** Scores as they stand in the file, best first; nothing sorts them (MLE-bench). */
export type Leaderboard = { scores: number[]; direction: 'max' | 'min' };

/**
 * Reads `leaderboard.csv`, of which only the column `score` matters. As in MLE-bench, lower is better if and only
 * if the first row's score is below the last row's. Throws an `Error` for fewer than 2 rows, no such column, or a
 * score that is not a number.
 */
export function readLeaderboard(text: string): Leaderboard {
  const { header, rows } = parseCsv(text);
  const column = header.indexOf('score');
  if (column < 0) throw new Error('no column "score"');
  const scores = rows.map((row, i) => {
    const cell = row[column]!.trim();
    if (cell === '' || !Number.isFinite(Number(cell))) throw new Error(`row ${i + 1}: score "${cell}"`);
    return Number(cell);
  });
  if (scores.length < 2) throw new Error(`${scores.length} rows; a leaderboard needs at least 2`);
  return { scores, direction: scores[0]! < scores.at(-1)! ? 'min' : 'max' };
}

/**
 * The share of the leaderboard that a raw score beats, in [0, 1]: interpolated linearly between the two rows it
 * falls between, half a row for a tie (with k equal rows, k halves); below the worst row 0, above the best 1.
 */
export function shareBeaten(leaderboard: Leaderboard, raw: number): number {
  const sign = leaderboard.direction === 'max' ? 1 : -1;
  const x = sign * raw;
  const rising = leaderboard.scores.map((score) => sign * score).sort((a, b) => a - b);
  const n = rising.length;
  if (!(x >= rising[0]!)) return 0;
  if (x > rising[n - 1]!) return 1;
  // Rows up to `x`, and the first of those level with the last of them.
  let upTo = 0;
  while (upTo < n && rising[upTo]! <= x) upTo++;
  const level = rising[upTo - 1]!;
  const below = middle(rising, level);
  if (level === x || upTo === n) return below / n;
  const next = rising[upTo]!;
  return (below + ((x - level) / (next - level)) * (middle(rising, next) - below)) / n;
}

/** Rows beaten by a score level with `value`: all below it and half of those level. */
function middle(rising: number[], value: number): number {
  const first = rising.indexOf(value);
  return (first + rising.lastIndexOf(value) + 1) / 2;
}
