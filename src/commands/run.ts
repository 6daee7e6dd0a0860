import { resolve } from 'node:path';
import type { RunConfig } from '../config.ts';
import { type Founders, loadFounders } from '../genome/founders.ts';
import { loadConstitution } from '../guard/constitution.ts';
import { counted } from '../report/format.ts';
import type { State } from '../state.ts';
import { readConfigOf } from '../store/catalog.ts';
import { checkOut } from '../store/run-dir.ts';
import { refuseNoRoles } from '../suite/folds.ts';
import { loadSuite } from '../suite/load.ts';
import type { Suite } from '../suite/suite.ts';
import { auditedSuite } from './audited.ts';
import { conclude } from './conclude.ts';
import { type Context, EXIT, type Output } from './context.ts';
import { isControlPending, refuseExtended, runControls } from './control.ts';
import { runFolds } from './folds.ts';
import { partiesOf } from './parties.ts';
import { partyLines } from './party-lines.ts';
import { planOf, refuseSmallBudget, tightBudget, unboundedCost } from './plan.ts';
import { planText } from './plan-text.ts';
import { checkPrices } from './reach-parties.ts';
import { displayed } from './read-report.ts';
import { makeReady } from './ready.ts';
import { identityOf } from './run-identity.ts';
import { refuseSecrets } from './safety.ts';
import { search } from './search.ts';

/**
 * `evolve run` and `evolve resume`: checks everything before anything is written, then searches, unless there is
 * nothing to do, and reports. The settings come checked, so that bad ones are refused before all this is loaded.
 */
export async function run(given: RunConfig, output: Output, context: Context): Promise<number> {
  const config = await withOldBudget(given);
  const say = output.quiet ? () => {} : (line: string) => context.note(`evolve: ${line}`);
  const founders = await loadFounders(config.genomes);
  const constitution = await loadConstitution(config.genomes);
  const loaded = await loadSuite(config.suite);
  if (config.folds === null) refuseNoRoles(loaded);
  const suite = await auditedSuite(loaded);
  const planned = partiesOf(config);
  for (const [name, genome] of founders.genomes) refuseSecrets(`the founder ${name}`, genome);
  if (config.folds !== null) {
    return await runFolds({ config, planned, suite, founders, constitution }, output, context);
  }
  const identity = identityOf(config, planned, suite, founders, constitution);
  const before = config.out === null ? null : (await checkOut(config.out, identity)).state;
  const plan = planOf(config, planned, suite, founders);
  const warning = tightBudget(plan, config);
  if (output.dryRun) {
    checkPrices(planned, config);
    if (!before?.identity) refuseSmallBudget(plan, config);
    if (warning) say(warning);
    context.print(output.json ? JSON.stringify(plan, null, 2) : planText(plan));
    return EXIT.finished;
  }
  const finished =
    config.out !== null && before?.result?.stop === 'finished' && config.generations <= before.generations;
  if (finished && !(await isControlPending(config.out!, config))) {
    say(`${displayed(resolve(config.out!))} is finished; a larger --generations extends it`);
    return await conclude(config.out!, before.result!, suite, output, context);
  }
  if (before?.result?.stop === 'finished' && !finished) refuseExtended(config.out!);
  const { parties, equipped } = await makeReady(config, planned, suite, say);
  if (!before?.identity) refuseSmallBudget(plan, config);
  say(startLine(config, suite, founders, before));
  for (const line of plan.warnings) say(`warning: ${line}`);
  if (founders.notice) say(founders.notice);
  for (const line of partyLines(parties, founders.genomes.get(founders.baseline)!, config.replay)) say(line);
  const told = warning ?? unboundedCost(plan, config);
  if (told) say(told);
  const interrupted = context.interruption();
  const within = { ...context, interruption: () => interrupted };
  const parts = {
    config,
    parties,
    suite: equipped,
    founders,
    constitution,
    identity,
    output,
    context: within,
  };
  const main = finished
    ? { dir: resolve(config.out!), result: before.result!, halt: null }
    : await search(parts);
  const ended = main.result.stop === 'finished' ? await runControls(parts, main) : main;
  const { halt } = ended;
  return await conclude(ended.dir, ended.result, suite, output, context, { halt, ahead: { config, plan } });
}

/** The budget of an earlier call on the run holds until another one is given: who resumes has not said "spend on". */
async function withOldBudget(config: RunConfig): Promise<RunConfig> {
  const before = config.out === null ? null : await readConfigOf(config.out);
  const { budgetUsd = null, budgetTokens = null } = before ?? {};
  return {
    ...config,
    budgetUsd: config.budgetUsd ?? budgetUsd,
    budgetTokens: config.budgetTokens ?? budgetTokens,
  };
}

function startLine(config: RunConfig, suite: Suite, founders: Founders, before: State | null): string {
  const { population, generations, model, seed, workers } = config;
  const begun = before?.identity ? `resuming ${config.out} after generation ${before.generation + 1}: ` : '';
  return (
    `${begun}population ${population}, ${counted(generations, 'generation')}, seed ${seed}, model ${model}; suite ${suite.name} ` +
    `(${counted(suite.tasks.length, 'task')}), ${counted(founders.genomes.size, 'founder')}, ${counted(workers, 'worker')}`
  );
}
