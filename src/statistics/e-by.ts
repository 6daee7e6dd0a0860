/**
 * The error level at which the interval of each credited claim is reported, so that at most a share alpha of the
 * reported intervals is expected to miss, although they were selected: α |S| / K, with S the credited among at most K
 * `claims` (e-BY; Xu, Wang and Ramdas, Post-selection inference for e-value based confidence intervals,
 * arXiv 2203.12572). It holds for intervals that invert e-values, as `confidenceSequence` does, whatever selected them.
 * In [0, alpha]; 0 when nothing is credited: then there is nothing to report. Throws when more are credited than claimed.
 */
export function eByLevel(alpha: number, credited: number, claims: number): number {
  if (credited > claims || credited < 0)
    throw new Error(`${credited} of ${claims} claims cannot be credited`);
  return credited === 0 ? 0 : (alpha * credited) / claims;
}
