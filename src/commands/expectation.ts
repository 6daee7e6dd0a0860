import type { RunConfig } from '../config.ts';
import type { Power } from '../event.ts';
import { count, counted, gain, score } from '../report/format.ts';
import { CLAIMS_ALPHA, claimTrials, leastPasses, passesOfChampion } from '../selection/claims.ts';
import { LEAST_SEALED, powerFor } from '../selection/verdict.ts';
import { levelOf } from '../statistics/e-lond.ts';
import type { Suite } from '../suite/suite.ts';

/** What the measurement at the end of a run can find, foretold; pure arithmetic on what differences usually deviate by. */
export type Expectation = {
  /** Of the verdict; null where the suite has too few sealed tasks for one. */
  sealed: { tasks: number; power: Power | null };
  /**
   * Of the claim that the champion is better: its `passes` of the `trials` that all claims may take, `least` the gain on
   * validation tasks that they should credit, `forTen` what all claims would have to be given to credit one of 10 points.
   */
  credit: { tasks: number; trials: number; passes: number; least: number | null; forTen: number | null };
};

/**
 * Standard deviations as the built-in suite shows them: of a change's true gain over tasks, and of one difference between
 * two trials on the same seed. Rough, and said so.
 */
const USUAL = { tasks: 0.2, trials: 0.35 };

/** Logarithm of what a mixture over a few bets loses against the best of them. */
const MIXTURE = 1.5;

/** `others` are the trials of search, finals and sealed tasks. */
export function expectationOf({ search }: RunConfig, { tasks }: Suite, others: number): Expectation {
  const [sealed, validation] = (['sealed', 'validation'] as const).map(
    (role) => tasks.filter((task) => task.role === role).length,
  ) as [number, number];
  const sd = Math.sqrt(USUAL.tasks ** 2 + USUAL.trials ** 2 / search.sealedRepeats);
  const alpha = levelOf({ number: 1, claims: search.claims, credits: 0 }, CLAIMS_ALPHA);
  const may = validation > 0 && search.claims > 0;
  const trials = may ? claimTrials(search.claimShare, others) : 0;
  const passes = may ? passesOfChampion(Math.floor(trials / (2 * validation)), search.claims) : 0;
  const fewest = leastPasses(alpha, validation);
  const needed = (effect: number) => Math.max(fewest, Math.ceil(betsFor(effect, alpha) / validation));
  const effects = Array.from({ length: 100 }, (_, i) => (i + 1) / 100);
  const least = passes < fewest ? null : (effects.find((effect) => needed(effect) <= passes) ?? null);
  let forTen = needed(0.1);
  while (may && passesOfChampion(forTen, search.claims) < needed(0.1)) forTen++;
  return {
    sealed: { tasks: sealed, power: sealed < LEAST_SEALED ? null : powerFor(sealed, sd) },
    credit: { tasks: validation, trials, passes, least, forTen: may ? forTen * 2 * validation : null },
  };
}

/** The two rows of a plan: what the verdict and the credit can find. */
export function expectationRows({ sealed, credit }: Expectation, share: number): string[][] {
  return [
    ['verdict', sealedWords(sealed)],
    ['credit', creditWords(credit, share)],
  ];
}

/**
 * A sentence on why nothing can be credited where the trials are too few for it, and how many it takes; none where
 * something can, or where nothing is to be.
 */
export function noCredit({ credit }: Expectation): string[] {
  const { tasks, trials, least, forTen } = credit;
  if (tasks === 0 || forTen === null || least !== null) return [];
  return [
    `no step can be credited: the budget leaves about ${counted(trials, 'trial')} for claims on ` +
      `${counted(tasks, 'validation task')}, and a gain of 10 points takes about ${count(forTen)}; ` +
      'more --generations or a larger --claim-share give more',
  ];
}

function sealedWords({ tasks, power }: Expectation['sealed']): string {
  if (power === null) {
    return `none possible: ${counted(tasks, 'sealed task')}, and the test needs ${LEAST_SEALED}`;
  }
  const found = `a gain of +10 points is found in ${share(power.at10)} of runs, of +20 in ${share(power.at20)}`;
  const least = power.detectable === null ? 'none' : gain(power.detectable);
  return `${found}; in four of five: ${least} (if gains of tasks deviate by ${score(power.sd)})`;
}

function creditWords({ tasks, trials, passes, least, forTen }: Expectation['credit'], part: number): string {
  if (tasks === 0) return 'none possible: no validation tasks';
  if (forTen === null) return 'none: no claims are asked for';
  const needs = `+10 points take about ${counted(forTen, 'trial')} for claims`;
  if (least === null) return `none possible: ${counted(trials, 'trial is', 'trials are')} too few; ${needs}`;
  return `about ${gain(least)} or more, in ${counted(passes, 'pass', 'passes')} of the ${counted(trials, 'trial')} for claims (${share(part)} of all); ${needs}`;
}

function share(value: number): string {
  return `${Math.round(100 * value)}%`;
}

/**
 * About how many bets, one a task and pass, on differences of mean `effect` an e-process takes to 1 / alpha: the growth of
 * the best bet below 1 (Kelly 1956, to second order), and what a mixture pays for not knowing it.
 */
function betsFor(effect: number, alpha: number): number {
  const spread = USUAL.trials ** 2 + USUAL.tasks ** 2;
  const bet = Math.min(0.95, effect / (effect ** 2 + spread));
  const won = 1 + bet * effect;
  const growth = Math.log(won) - (bet ** 2 * spread) / (2 * won ** 2);
  return growth <= 0 ? Number.POSITIVE_INFINITY : (Math.log(1 / alpha) + MIXTURE) / growth;
}
