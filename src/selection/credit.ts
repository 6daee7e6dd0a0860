import type { TrialSpec } from '../evaluation/trial.ts';
import type { Claim, ClaimResult, Settled, Stop } from '../event.ts';
import { diffGenomes } from '../genome/diff.ts';
import type { Genome } from '../genome/genome.ts';
import { confidenceSequence, eProcess } from '../statistics/betting.ts';
import { eByLevel } from '../statistics/e-by.ts';
import type { Suite } from '../suite/suite.ts';
import { activeChanges } from './activation.ts';
import { type ClaimParts, nextClaims } from './claims.ts';
import { block, type MeasureParts, measure, score } from './measure.ts';
import { mean, meanOrNull, repeatedTrials, tasksOf } from './task-means.ts';

export type CreditParts = MeasureParts & {
  suite: Suite;
  generations: number;
  genomes: { load(id: string): Genome | Promise<Genome> };
  commit(): Promise<void>;
};

/** Passes between two looks: the test may look whenever it likes, and trials in flight want company. */
const PASSES_A_LOOK = 5;
/** A claim whose mean is not above 0 after so many passes is given up. */
const PATIENCE = 20;
/** Intervals hold with 95%. */
const INTERVAL_ALPHA = 0.05;

/**
 * Credit: claims are named, then tested on validation tasks, each on passes of its own: the champion's first, then
 * those of the steps that led to it, side by side. Nothing here steers: the champion is frozen already. Can be taken up
 * where it was cut.
 */
export async function testClaims(parts: CreditParts): Promise<Stop | null> {
  for (;;) {
    if (open(parts).length === 0) {
      const claims = nextClaims(parts);
      if (claims.length === 0) return null;
      parts.record({ type: 'claimed', claims });
      await parts.commit();
    }
    const stop = await settleAll(parts);
    if (stop) return stop;
  }
}

/** The claims of a run as its result shows them; intervals of credited ones are adjusted for the choice (e-BY). */
export function claimResults({ identity, state, suite }: ClaimParts): ClaimResult[] {
  const settled = [...state.claims.values()].flatMap(({ claim, settled }) =>
    settled ? [{ claim, settled }] : [],
  );
  const credited = settled.filter((row) => row.settled.credited).length;
  const level = eByLevel(INTERVAL_ALPHA, credited, identity.search.claims);
  return settled.map(({ claim, settled: { claim: _, ...found } }) => {
    const seen = passesOf({ identity, state, suite }, claim).slice(0, found.passes).flat();
    const interval = found.credited ? confidenceSequence(seen.map(differenceOf), level) : found.interval;
    const side = (who: 'candidate' | 'against') => meanOrNull(seen.map((pair) => pair[who]));
    return {
      ...claim,
      ...found,
      interval,
      scores: { candidate: side('candidate'), against: side('against') },
    };
  });
}

function open({ state }: ClaimParts): Claim[] {
  return [...state.claims.values()].flatMap(({ claim, settled }) => (settled ? [] : [claim]));
}

async function settleAll(parts: CreditParts): Promise<Stop | null> {
  for (let looked = 0; open(parts).length > 0; looked += PASSES_A_LOOK) {
    const specs = open(parts).flatMap((claim) => trialsOf(parts, claim, looked));
    const stop = await measure(parts, parts.generations, 'validation', specs);
    if (stop) return stop;
    for (const claim of open(parts)) {
      const settled = await look(parts, claim, Math.min(claim.passes, looked + PASSES_A_LOOK));
      if (settled) parts.record({ type: 'settled', settled });
    }
    await parts.commit();
  }
  return null;
}

/** The trials of a claim between two looks, both sides. */
function trialsOf(
  parts: CreditParts,
  { candidate, against, from, passes }: Claim,
  looked: number,
): TrialSpec[] {
  const tasks = tasksOf(parts, 'validation');
  const count = Math.max(0, Math.min(PASSES_A_LOOK, passes - looked));
  return repeatedTrials(parts, [against, candidate], tasks, count, from + looked);
}

/** What is known of the claim after so many passes, if that settles it. */
async function look(parts: CreditParts, claim: Claim, passes: number): Promise<Settled | null> {
  const seen = passesOf(parts, claim).slice(0, passes);
  const differences = seen.flat().map(differenceOf);
  const e = evidence(seen.map((pass) => pass.map(differenceOf)));
  const reached = e >= 1 / claim.alpha;
  const hopeless = passes >= PATIENCE && mean(differences) <= 0;
  if (!reached && !hopeless && passes < claim.passes) return null;
  const active = await activeOf(parts, claim);
  return {
    claim: claim.number,
    passes: seen.length,
    e,
    gain: meanOrNull(differences),
    interval: confidenceSequence(differences, INTERVAL_ALPHA),
    active,
    credited: reached && active.length > 0,
  };
}

/**
 * The highest value of the e-process at the end of a pass. A bet goes to each task of a pass at the same stake, and the
 * product is read when all tasks are in. Under the null the mean over tasks is ≤ 0, and by the inequality of arithmetic and
 * geometric means Π (1 + λ μₖ) ≤ (1 + λ μ̄)ᴷ ≤ 1, also where tasks differ: trials of a pass are independent given the
 * genomes, as each has a seed of its own. One bet on the mean of a pass would be as valid, and need three times the passes.
 */
function evidence(passes: readonly (readonly number[])[]): number {
  const tasks = passes[0]?.length ?? 0;
  const values = eProcess(passes.flat()).filter((_, i) => (i + 1) % tasks === 0);
  return Math.max(1, ...values);
}

/** Both sides' scores on one task of a pass. */
type Pair = { candidate: number; against: number };

function differenceOf({ candidate, against }: Pair): number {
  return candidate - against;
}

/** The passes of a claim as far as they are whole: both sides on all validation tasks, in task order. */
function passesOf(parts: ClaimParts, claim: Claim): Pair[][] {
  const tasks = tasksOf(parts, 'validation');
  const passes: Pair[][] = [];
  for (let pass = 0; pass < claim.passes; pass++) {
    const of = (genome: string) =>
      block(parts, genome, tasks, claim.from + pass).map(({ id }) => score(parts.state.outcomes.get(id)));
    const [candidate, against] = [of(claim.candidate), of(claim.against)];
    const pairs = candidate.flatMap((own, i): Pair[] => {
      const other = against[i] ?? null;
      return own === null || other === null ? [] : [{ candidate: own, against: other }];
    });
    if (pairs.length < tasks.length) break;
    passes.push(pairs);
  }
  return passes;
}

/** Of the genes that differ, those that did something in the claim's own trials: what never fired changed nothing. */
async function activeOf(parts: CreditParts, claim: Claim): Promise<string[]> {
  const [against, candidate] = await Promise.all([
    parts.genomes.load(claim.against),
    parts.genomes.load(claim.candidate),
  ]);
  const changed = diffGenomes(against, candidate).map(({ path }) => path);
  return activeChanges(
    changed,
    seenActive(parts, claim, claim.candidate),
    seenActive(parts, claim, claim.against),
  );
}

function seenActive(parts: CreditParts, claim: Claim, genome: string): Set<string> {
  const seen = new Set<string>();
  const tasks = tasksOf(parts, 'validation');
  for (let pass = 0; pass < claim.passes; pass++) {
    for (const { id } of block(parts, genome, tasks, claim.from + pass)) {
      const outcome = parts.state.outcomes.get(id);
      if (!outcome) return seen;
      if (outcome.kind !== 'lost') for (const path of outcome.active ?? []) seen.add(path);
    }
  }
  return seen;
}
