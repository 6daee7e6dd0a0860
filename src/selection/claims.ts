import type { Candidate, Claim, RunIdentity, Untested } from '../event.ts';
import type { State } from '../state.ts';
import { eProcess } from '../statistics/betting.ts';
import { levelOf } from '../statistics/e-lond.ts';
import type { Suite } from '../suite/suite.ts';
import { tasksOf } from './task-means.ts';

/** The level of all claims of a run together: the share of false ones among the credited, on average. */
export const CLAIMS_ALPHA = 0.025;

/** Repeats from here on are for claims; each has its own ten thousand. */
const FIRST_REPEAT = 2_000_000;
const REPEATS = 10_000;
/** Passes that the champion's claim gets before the others get any. */
const FIRST_SERVED = 30;

export type ClaimParts = { identity: RunIdentity; state: State; suite: Suite };

/** The claims to name next, when none is open: the champion's first, then those of steps; none when all is said. */
export function nextClaims(parts: ClaimParts): Claim[] {
  const { champion, baseline } = parts.state;
  if (champion === null || champion === baseline) return [];
  return isClaimed(parts.state, champion, baseline) ? claimsOfSteps(parts) : claimOfChampion(parts);
}

/** Why the champion was not claimed to be better than the baseline, once all claims are settled; null where it was. */
export function whyUntested(parts: ClaimParts): Untested | null {
  const { champion, baseline, claims } = parts.state;
  const settings = parts.identity.search;
  const tasks = tasksOf(parts, 'validation').length;
  if (champion === baseline) return { why: 'is the baseline' };
  if (champion === null || isClaimed(parts.state, champion, baseline)) return null;
  if (settings.claims === 0) return { why: 'no claims' };
  if (tasks === 0) return { why: 'no validation tasks' };
  const left = claimsLeft(parts);
  if (left === 0) return { why: 'claims used up', claims: claims.size };
  const passes = passesOfChampion(passesLeft(parts), left);
  const least = leastPasses(nextLevel(parts, claims.size + 1), tasks);
  return { why: 'too few trials', passes, least, share: settings.claimShare };
}

/**
 * The claim that the champion is better than the baseline, before any other: see `passesOfChampion`. None where the
 * trials do not suffice to credit even a gain of 1 on every task; then there are no other claims either.
 */
function claimOfChampion(parts: ClaimParts): Claim[] {
  const { champion, baseline } = parts.state;
  const own = passesOfChampion(passesLeft(parts), claimsLeft(parts));
  return nameClaims(parts, [{ kind: 'champion', candidate: champion!, against: baseline }], own);
}

/**
 * Claims on the steps that led to the champion: of a child on its first parent, those that the search believes to have
 * gained most. They share what is left of the trials, and as many are named as it suffices for. In the order in which the
 * children were bred.
 */
function claimsOfSteps(parts: ClaimParts): Claim[] {
  const { state } = parts;
  const steps = ancestors(state)
    .map((child) => ({ child, gain: believed(state, child.id) - believed(state, child.parents[0]!) }))
    .filter(({ child, gain }) => gain > 0 && !isClaimed(state, child.id, child.parents[0]!))
    .sort((a, b) => b.gain - a.gain || a.child.generation - b.child.generation);
  const most = Math.min(steps.length, claimsLeft(parts));
  for (let count = most; count > 0; count--) {
    const chosen = steps
      .slice(0, count)
      .sort((a, b) => a.child.generation - b.child.generation || a.child.slot - b.child.slot)
      .map(({ child }) => ({ kind: 'step' as const, candidate: child.id, against: child.parents[0]! }));
    const named = nameClaims(parts, chosen, Math.floor(passesLeft(parts) / count));
    if (named.length === count) return named;
  }
  return [];
}

/**
 * What all claims of a run may take, in trials: their share of all trials, theirs included. `others` are the trials of
 * search, finals and sealed tasks.
 */
export function claimTrials(share: number, others: number): number {
  return Math.floor((share / (1 - share)) * others);
}

/**
 * Of so many passes, those that the champion's claim may take when so many claims are left, its own among them: half, but
 * all as long as that is little.
 */
export function passesOfChampion(passes: number, claims: number): number {
  return claims > 1 ? Math.max(Math.min(passes, FIRST_SERVED), Math.ceil(passes / 2)) : passes;
}

/** The least number of passes over so many tasks after which a claim at this level can be credited at all. */
export function leastPasses(alpha: number, tasks: number): number {
  const best = eProcess(Array.from({ length: 1000 }, () => 1));
  const least = best.findIndex((e) => e >= 1 / alpha) + 1;
  return least === 0 || tasks === 0 ? Number.POSITIVE_INFINITY : Math.ceil(least / tasks);
}

/** Nobody's trials but the claims' are on validation tasks. */
function passesLeft(parts: ClaimParts): number {
  const { identity, state } = parts;
  const { claimShare, sealedRepeats } = identity.search;
  let [others, taken] = [2 * sealedRepeats * tasksOf(parts, 'sealed').length, 0];
  for (const { role } of state.trials.values()) {
    if (role === 'validation') taken++;
    if (role === 'search') others++;
  }
  const perPass = 2 * tasksOf(parts, 'validation').length;
  const left = claimTrials(claimShare, others) - taken;
  return perPass === 0 ? 0 : Math.max(0, Math.floor(left / perPass));
}

function claimsLeft({ identity, state }: ClaimParts): number {
  return Math.max(0, identity.search.claims - state.claims.size);
}

function nameClaims(
  parts: ClaimParts,
  chosen: readonly Pick<Claim, 'kind' | 'candidate' | 'against'>[],
  passes: number,
): Claim[] {
  const { identity, state } = parts;
  const tasks = tasksOf(parts, 'validation').length;
  return chosen.flatMap((what, i) => {
    const number = state.claims.size + 1 + i;
    const alpha = nextLevel(parts, number);
    if (number > identity.search.claims || passes < leastPasses(alpha, tasks)) return [];
    const from = FIRST_REPEAT + number * REPEATS;
    return [{ number, ...what, alpha, from, passes: Math.min(passes, REPEATS) }];
  });
}

/** The level of a claim that would be named now. */
function nextLevel({ identity, state }: ClaimParts, number: number): number {
  const credits = [...state.claims.values()].filter(({ settled }) => settled?.credited).length;
  return levelOf({ number, claims: identity.search.claims, credits }, CLAIMS_ALPHA);
}

/** The champion and its ancestors along first parents, but for the founder; nearest first. */
function ancestors({ champion, candidates }: State): Candidate[] {
  const line: Candidate[] = [];
  for (let id = champion ?? undefined; id !== undefined; ) {
    const candidate = candidates.get(id);
    if (!candidate || candidate.parents.length === 0) break;
    line.push(candidate);
    id = candidate.parents[0];
  }
  return line;
}

function believed({ estimates }: State, id: string): number {
  return estimates.get(id)?.shrunk ?? 0;
}

function isClaimed({ claims }: State, candidate: string, against: string): boolean {
  return [...claims.values()].some(({ claim }) => claim.candidate === candidate && claim.against === against);
}
