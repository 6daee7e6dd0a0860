/** A score in [0, 1] in points of 100: `12.3`. */
export function points(score: number): string {
  return (100 * score).toFixed(1);
}

/** A difference of scores in points of 100, with its sign: `+5.0`, `−12.3`. */
export function signedPoints(difference: number): string {
  return `${difference < 0 ? '−' : '+'}${Math.abs(100 * difference).toFixed(1)}`;
}
