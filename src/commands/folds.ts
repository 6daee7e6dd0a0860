import { join, resolve } from 'node:path';
import type { RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { RunIdentity, Stop } from '../event.ts';
import type { Founders } from '../genome/founders.ts';
import type { Constitution } from '../guard/constitution.ts';
import { foldsSummary } from '../report/folds-text.ts';
import { counted, span } from '../report/format.ts';
import { shellWord } from '../shell-word.ts';
import { checkFolds, openFolds, readFolds } from '../store/folds.ts';
import { checkOut } from '../store/run-dir.ts';
import { type Fold, foldSuite } from '../suite/folds.ts';
import type { Suite } from '../suite/suite.ts';
import { exitOf, mustBeMended } from './conclude.ts';
import { type Context, EXIT, type Output } from './context.ts';
import { budgetFor } from './enough-budget.ts';
import type { Halt } from './models.ts';
import type { Parties } from './parties.ts';
import { partyLines } from './party-lines.ts';
import { refuseSmallBudget, tightBudget, unboundedCost } from './plan.ts';
import { type FoldsPlan, foldsPlanText, planFolds } from './plan-folds.ts';
import { checkPrices } from './reach-parties.ts';
import { writeFoldsReport } from './read-folds.ts';
import { displayed } from './read-report.ts';
import { makeReady } from './ready.ts';
import { remaining } from './remaining.ts';
import { wantsColour } from './report.ts';
import { identityOf } from './run-identity.ts';
import { search } from './search.ts';

/** What a run with folds is made of, all of it read and checked. */
export type FoldsParts = {
  config: RunConfig;
  planned: Parties;
  suite: Suite;
  founders: Founders;
  constitution: Constitution;
};

/**
 * `evolve run --folds K`: one search after the other, each blind to its own fold, in a folder of its own below `--out`.
 * Budgets and `--max-time` bound all of them together; the first that stops before its end stops the others too, and a
 * later call goes on from there.
 */
export async function runFolds(parts: FoldsParts, output: Output, context: Context): Promise<number> {
  const { planned, suite, founders, constitution } = parts;
  const say = output.quiet ? () => {} : (line: string) => context.note(`evolve: ${line}`);
  const k = parts.config.folds!;
  refuseControl(parts.config);
  const folds = foldSuite(suite, k, parts.config.seed);
  const identity = identityOf(parts.config, planned, suite, founders, constitution);
  const { out } = parts.config;
  const before = out === null ? null : await checkFolds(out, identity, k);
  // As for one run: the budget of an earlier call holds until another one is given.
  const config: RunConfig = {
    ...parts.config,
    budgetUsd: parts.config.budgetUsd ?? before?.config.budgetUsd ?? null,
    budgetTokens: parts.config.budgetTokens ?? before?.config.budgetTokens ?? null,
  };
  const plan = planFolds(config, planned, folds, founders);
  if (before === null) refuseSmallBudget(plan, config);
  const warning = tightBudget(plan, config);
  if (output.dryRun) {
    checkPrices(planned, config);
    if (warning) say(warning);
    context.print(output.json ? JSON.stringify(plan, null, 2) : foldsPlanText(plan));
    return EXIT.finished;
  }
  const identityIn = ({ seed, suite: own }: Fold) =>
    identityOf({ ...config, seed }, planned, own, founders, constitution);
  const done = new Set<Fold>();
  for (const fold of before ? folds : []) {
    const { state } = await checkOut(join(out!, fold.name), identityIn(fold));
    if (state.result?.stop === 'finished' && config.generations <= state.generations) done.add(fold);
  }
  if (done.size === folds.length) {
    say(`${displayed(resolve(out!))} is finished; a larger --generations extends it`);
    return await concludeFolds(resolve(out!), output, context);
  }
  const { parties, equipped } = await makeReady(config, planned, suite, say);
  say(
    `${before ? `resuming ${displayed(resolve(out!))}: ` : ''}${suite.tasks.length} tasks (suite ${suite.name}) in ${k} folds, ` +
      `each a search of its own: population ${config.population}, ${counted(config.generations, 'generation')}, seed ${config.seed}, ` +
      `model ${config.model}; about ${counted(plan.trials.expected, 'trial')} and ${span(plan.ms.expected)} in all`,
  );
  for (const line of plan.warnings) say(`warning: ${line}`);
  if (founders.notice) say(founders.notice);
  for (const line of partyLines(parties, founders.genomes.get(founders.baseline)!, config.replay)) say(line);
  for (const line of [plan.noVerdict, warning ?? unboundedCost(plan, config)]) if (line) say(line);

  const remembered = { ...config, suite: suite.dir, genomes: resolve(config.genomes) };
  const opened = await openFolds(out, remembered, identity, folds, { say });
  try {
    const own = { ...parts, config, parties, identityIn };
    const split = foldSuite(equipped, k, config.seed);
    const wanted = split.map((fold, i) => ({ fold, done: done.has(folds[i]!) }));
    const ended = await searchFolds(opened.dir, own, wanted, output, context, say);
    return await concludeFolds(opened.dir, output, context, { ...ended, plan });
  } finally {
    opened.close();
  }
}

/** How the last search ended, which is how all of them did. */
type Ended = { stop: Stop; halt: Halt | null };

/** Searches one fold after the other, but for those that are done, until one stops before its end. */
async function searchFolds(
  dir: string,
  parts: FoldsParts & { parties: Parties; identityIn(fold: Fold): RunIdentity },
  folds: readonly { fold: Fold; done: boolean }[],
  output: Output,
  context: Context,
  say: (line: string) => void,
): Promise<Ended> {
  const { config, parties, founders, constitution, identityIn } = parts;
  const interrupted = context.interruption();
  const dirs = folds.map(({ fold }) => join(dir, fold.name));
  const left = remaining(config, dirs);
  for (const [i, { fold, done }] of folds.entries()) {
    if (done) continue;
    const maxTimeMs = left.ms();
    if (interrupted.aborted) return { stop: 'interrupted', halt: null };
    if (maxTimeMs === 0) return { stop: 'max-time', halt: null };
    say(`${fold.name} of ${folds.length}: ${foldLine(fold)}`);
    const { result, halt } = await search({
      config: { ...config, ...(await left.budgets(i)), maxTimeMs, seed: fold.seed, out: dirs[i]! },
      suite: fold.suite,
      identity: identityIn(fold),
      ...{ parties, founders, constitution, output },
      context: { ...context, interruption: () => interrupted },
      // What the other searches did on the tasks that are sealed in this one.
      hidden: [dir],
    });
    if (result.stop !== 'finished') return { stop: result.stop, halt };
  }
  return { stop: 'finished', halt: null };
}

/** `evolve report` on the folder of a run with folds: writes the reports of all, and prints the one over all. */
export async function reportFolds(dir: string, json: boolean, context: Context): Promise<number> {
  await concludeFolds(dir, { json, quiet: true, dryRun: false }, context);
  return EXIT.finished;
}

async function concludeFolds(
  dir: string,
  output: Output,
  context: Context,
  ended?: Ended & { plan: FoldsPlan },
): Promise<number> {
  const file = (await readFolds(dir))!;
  const report = await writeFoldsReport(dir, file, context.note, ended?.stop);
  if (output.json) context.print(JSON.stringify(report, null, 2));
  else context.print(foldsSummary(report, wantsColour()));
  if (ended && ended.stop !== 'finished' && (mustBeMended(ended.stop) || !output.quiet)) {
    const { stop, halt, plan } = ended;
    const { cost, trials } = report;
    const left = Math.max(1, plan.trials.most - trials.run);
    const more = budgetFor(stop, { cost, tried: trials.run }, left, plan.calls.all);
    const through = report.folds.filter((row) => row.stop === 'finished').length;
    const shared = more !== '' && through > 0 ? ', of what the other folds left of the budget' : '';
    context.note(
      `evolve: stopped after ${through} of ${report.folds.length} folds: ${halt?.reason ?? WHY[stop]}${shared}; ` +
        `\`evolve resume ${shellWord(report.run)}${more}\` goes on`,
    );
    if (halt?.hint) context.note(`evolve: ${halt.hint}`);
  }
  return exitOf(report.stop);
}

const WHY: Record<Stop, string> = {
  finished: 'finished',
  'budget-trials': 'the budget of trials is spent',
  'budget-usd': 'the money is spent',
  'budget-tokens': 'the tokens are spent',
  'max-time': 'the time is up',
  interrupted: 'interrupted',
  infrastructure: 'too many trials of the last one were lost to faults of the infrastructure',
  refused: 'no call of a model can succeed until something is mended',
};

function foldLine({ suite }: Fold): string {
  const of = (role: string) => suite.tasks.filter((task) => task.role === role);
  const sealed = of('sealed').map(({ id }) => id);
  return `${counted(of('search').length, 'search task')}, ${of('validation').length} validation; sealed are ${sealed.join(', ')}`;
}

function refuseControl({ control }: RunConfig): void {
  if (control.length === 0) return;
  throw new UserError(
    '--control and --folds cannot be given together yet',
    'leave --control out; or give the tasks of suite.json roles, and --control with them in place of --folds',
  );
}
