import type { ClaimResult, Power, Result, SealedPart, Untested } from '../event.ts';
import { clip, count, counted, gain } from './format.ts';

/**
 * The claims of a run as rows: number, what on what, gain, interval, evidence of what is needed, passes, outcome, which has
 * at most `width` characters.
 */
export function claimRows(
  { claims, champion }: Pick<Result, 'claims' | 'champion'>,
  width: number,
): string[][] {
  return claims.map((claim) => [
    String(claim.number),
    named(claim, champion?.id),
    gain(claim.gain),
    interval(claim.interval),
    `${evidence(claim.e)} of ${evidence(1 / claim.alpha)}`,
    String(claim.passes),
    clip(outcome(claim), width),
  ]);
}

export const CLAIM_HEAD = ['', 'claim', 'gain', '95% interval', 'evidence', 'passes', ''];

/** What was not tested, the champion itself among it, and why; a part each. Most of what a search does is not. */
export function untested(result: Claimed): string[] {
  const { claims, steps, untested: why } = result;
  const tested = claims.filter(({ kind }) => kind === 'step').length;
  const others = steps - tested;
  const reason = why ? `, as ${untestedWords(why)}` : '';
  return [
    ...(why || creditOf(result) === 'not tested' ? [`the champion itself: not tested${reason}`] : []),
    ...(others > 0 ? [`${count(others)} of ${counted(steps, 'step')}: not tested`] : []),
  ];
}

/** What the claims say of the champion, in a word or two. */
export function creditOf({ claims, champion, baseline }: Claimed): string {
  if (champion?.id === baseline.id) return 'the baseline itself';
  const own = claims.some((claim) => claim.candidate === champion?.id && claim.against === baseline.id);
  if (!own) return 'not tested';
  return champion?.credited ? 'credited' : 'not credited';
}

type Claimed = Pick<Result, 'claims' | 'steps' | 'champion' | 'baseline' | 'untested'>;

function untestedWords(untested: Untested): string {
  switch (untested.why) {
    case 'is the baseline':
      return 'it is the baseline';
    case 'no claims':
      return 'no claims were asked for (--claims 0)';
    case 'no validation tasks':
      return 'the suite has no validation tasks';
    case 'claims used up':
      return `${untested.claims === 1 ? 'the one claim' : `all ${untested.claims} claims`} of the run went to earlier champions and their steps`;
    case 'too few trials': {
      const { passes, least, share } = untested;
      const left = passes === 0 ? 'no pass' : counted(passes, 'pass', 'passes');
      return `the trials for claims (${Math.round(100 * share)}% of all) leave it ${left} over the validation tasks, and a credit takes at least ${least}`;
    }
  }
}

/** What the verdict could have found, in a line. */
export function powerText({ sd, at5, at10, at20, detectable }: Power): string {
  const percent = (value: number) => `${Math.round(100 * value)}%`;
  const least = detectable === null ? '' : `; in four of five: ${gain(detectable)}`;
  return `a gain of +5 points would be found in ${percent(at5)} of such runs, +10 in ${percent(at10)}, +20 in ${percent(at20)}${least} (gains of tasks deviate by ${sd.toFixed(2)})`;
}

/** A run that was extended may have had another champion before. */
function named({ kind, candidate, against }: ClaimResult, champion: string | undefined): string {
  if (kind === 'step') return `step ${short(against)} → ${short(candidate)}`;
  return candidate === champion ? 'champion on baseline' : `earlier champion ${short(candidate)}`;
}

/** `+0.212 (95% +0.020 to +0.404)`. */
export function partText({ gain: value, ci95 }: SealedPart): string {
  return `${gain(value)} (95% ${interval(ci95)})`;
}

function interval([low, high]: readonly [number, number]): string {
  return `${gain(low)} to ${gain(high)}`;
}

function outcome({ credited, active, e, alpha }: ClaimResult): string {
  if (credited) return `credited; active: ${active.join(', ')}`;
  return e >= 1 / alpha && active.length === 0 ? 'not credited: nothing active' : 'not credited';
}

function evidence(e: number): string {
  return e >= 10_000 ? e.toExponential(0) : count(Math.round(e));
}

function short(id: string): string {
  return id.slice(0, 6);
}
