import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Trajectory } from '../agent/trajectory.ts';
import { JOB_CACHE, type RunConfig } from '../config.ts';
import { poolEvaluator } from '../evaluation/pool.ts';
import { evolve } from '../evolve.ts';
import { type Founders, loadFounders } from '../genome/founders.ts';
import { type Constitution, loadConstitution } from '../guard/constitution.ts';
import { objections } from '../guard/review.ts';
import { localRunner } from '../jobs/local.ts';
import type { Advisor } from '../llm/advisor.ts';
import type { Llm } from '../llm/llm.ts';
import { renderMemory } from '../memory/render.ts';
import { startProgress } from '../progress.ts';
import { money, span } from '../report/format.ts';
import type { Result, RunIdentity, State } from '../state.ts';
import { readConfigOf, writeCatalog } from '../store/catalog.ts';
import { checkOut, openRun } from '../store/run-dir.ts';
import { startGrader } from '../suite/grader.ts';
import { loadSuite } from '../suite/load.ts';
import type { Suite } from '../suite/suite.ts';
import { conclude } from './conclude.ts';
import { type Context, EXIT, type Output } from './context.ts';
import { GRACE_MS, type Halt, openModels } from './models.ts';
import { type Parties, type Party, partiesOf } from './parties.ts';
import { partyLines } from './party-lines.ts';
import { endTrials, planOf, planText, refuseSmallBudget, tightBudget } from './plan.ts';
import { checkPrices, reachParties } from './reach-parties.ts';
import { displayed } from './read-report.ts';
import { identityOf } from './run-identity.ts';
import { checkCassette, checkSandbox, refuseSecrets } from './safety.ts';

const AFTER_CALLS = `; model calls under way may end first, ${GRACE_MS / 1000} s at most`;

/**
 * `evolve run` and `evolve resume`: checks everything before anything is written, then searches, unless there is
 * nothing to do, and reports. The settings come checked, so that bad ones are refused before all this is loaded.
 */
export async function run(given: RunConfig, output: Output, context: Context): Promise<number> {
  const config = await withOldBudget(given);
  const say = output.quiet ? () => {} : (line: string) => context.note(`evolve: ${line}`);
  const founders = await loadFounders(config.genomes);
  const constitution = await loadConstitution(config.genomes);
  const suite = await loadSuite(config.suite);
  const planned = partiesOf(config);
  for (const [name, genome] of founders.genomes) refuseSecrets(`the founder ${name}`, genome);
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
  if (
    config.out !== null &&
    before?.result?.stop === 'finished' &&
    config.generations <= before.generations
  ) {
    say(`${displayed(resolve(config.out))} is finished; a larger --generations extends it`);
    return await conclude(config.out, before.result, suite, output, context);
  }
  checkCassette(config);
  const parties = await reachParties(planned, config, say);
  await checkSandbox(parties, config, say);
  if (!before?.identity) refuseSmallBudget(plan, config);
  say(startLine(config, suite, founders, before));
  if (founders.notice) say(founders.notice);
  for (const line of partyLines(parties, founders.genomes.get(founders.baseline)!, config.replay)) say(line);
  if (warning) say(warning);
  else if (config.budgetUsd === null && (plan.calls.all.usd ?? 0) > 0) {
    say(
      `no --budget-usd is set, so nothing bounds what is spent; forecast: about ${money(plan.calls.all.usd!)}`,
    );
  }
  const ended = await search({
    config,
    parties,
    suite,
    founders,
    constitution,
    identity,
    output,
    context,
  });
  return await conclude(ended.dir, ended.result, suite, output, context, ended.halt);
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

type SearchParts = {
  config: RunConfig;
  parties: Parties;
  suite: Suite;
  founders: Founders;
  constitution: Constitution;
  identity: RunIdentity;
  output: Output;
  context: Context;
};

/** The composition root: opens what a search needs, searches, and closes it all again, whatever happened. */
async function search(parts: SearchParts): Promise<{ dir: string; result: Result; halt: Halt | null }> {
  const { config, parties, suite, founders, constitution, identity, output, context } = parts;
  const interrupted = context.interruption();
  const run = await openRun(config.out, identity);
  if (run.notice) context.note(`evolve: ${run.notice}`);
  run.logJob({ session: 'started', at: new Date().toISOString() });
  await writeCatalog(run.dir, run.state, remembered(config, suite));
  const runner = localRunner({
    cacheDir: config.jobCache ? resolve(JOB_CACHE) : null,
    onJob: (record) => run.logJob(record),
    hidden: [suite.dir, run.dir],
  });
  const progress = startProgress({
    stream: process.stderr,
    quiet: output.quiet,
    generations: config.generations,
    passed: run.state.generation + 1,
    endTrials: endTrials(config, suite),
    jobs: runner.stats,
    usd: () => models.ledger?.totals().usd ?? 0,
  });
  const time = timer(config.maxTimeMs);
  const stop = AbortSignal.any([interrupted, time.signal]);
  const models = openModels(parties, config, run.dir, stop, {
    paused(reason) {
      run.record({ type: 'paused', reason });
      progress.note(
        `evolve: paused: ${reason}; going on as soon as it is back, for ${span(config.calls.maxPauseMs)} at most`,
      );
    },
    unpaused(pausedMs) {
      run.record({ type: 'unpaused', pausedMs });
      progress.note(`evolve: going on after ${span(pausedMs)}`);
    },
    trouble: (line) => progress.note(`evolve: ${line}`),
  });
  const onInterrupt = () =>
    progress.note(`evolve: stopping${models.ledger ? AFTER_CALLS : ''}; Ctrl-C again leaves at once`);
  interrupted.addEventListener('abort', onInterrupt);
  const closers: (() => Promise<void> | void)[] = [() => models.close(), () => runner.close()];
  try {
    const grader = await startGrader(suite.dir);
    closers.unshift(() => grader.close());
    const evaluator = poolEvaluator({
      workers: config.workers,
      concurrency: config.concurrency,
      trialsDir: join(run.dir, 'trials'),
      suite,
      genomes: run.loadGenome,
      grader,
      runner,
      model: config.model,
      llm: models.agent,
      profile: parties.agent.profile,
    });
    closers.unshift(() => evaluator.close());
    const result = await evolve({
      identity,
      state: run.state,
      suite,
      founders: [...founders.genomes].map(([name, genome]) => ({ name, genome })),
      baseline: founders.baseline,
      generations: config.generations,
      genomes: { save: run.saveGenome, load: run.loadGenome },
      evaluator,
      mutator: advisor(parties.mutator, models.mutator),
      critic: advisor(parties.critic, models.critic),
      review: (child, parent) => objections(constitution, parent, child),
      readTrajectory: (trial) => readTrajectory(join(run.trialDir(trial), 'trajectory.json')),
      record(event) {
        run.record(event);
        progress.event(event);
      },
      async commit() {
        await run.checkpoint();
        await run.writeMemory(renderMemory(run.state));
      },
      budget: { trials: config.budgetTrials },
      shouldStop() {
        if (interrupted.aborted) return 'interrupted';
        return time.signal.aborted ? 'max-time' : (models.halt()?.stop ?? null);
      },
      signal: AbortSignal.any([stop, models.halted]),
    });
    const halt = models.halt();
    if (halt?.error) throw halt.error;
    return { dir: run.dir, result, halt };
  } finally {
    interrupted.removeEventListener('abort', onInterrupt);
    progress.close();
    time.clear();
    for (const close of closers) await close();
    await run.checkpoint().finally(() => run.close());
  }
}

function advisor({ model, profile }: Party, ask: Llm): Advisor {
  return { ask, model, context: profile.context };
}

/** What `run.json` keeps: folders as absolute paths, so that `resume` works from anywhere. */
function remembered(config: RunConfig, suite: Suite): RunConfig {
  return { ...config, suite: suite.dir, genomes: resolve(config.genomes) };
}

function startLine(config: RunConfig, suite: Suite, founders: Founders, before: State | null): string {
  const { population, generations, model, seed, workers } = config;
  const begun = before?.identity ? `resuming ${config.out} after generation ${before.generation + 1}: ` : '';
  return (
    `${begun}population ${population}, ${generations} ${generations === 1 ? 'generation' : 'generations'}, seed ${seed}, model ${model}; suite ${suite.name} ` +
    `(${suite.tasks.length} tasks), ${founders.genomes.size} founders, ${workers} workers`
  );
}

/** A signal that is aborted when the time is up; `clear` lets the process end before. */
function timer(ms: number | null): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timeout = ms === null ? undefined : setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timeout) };
}

/** What the agent did in a trial, or null where that is not kept. */
async function readTrajectory(file: string): Promise<Trajectory | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Trajectory;
  } catch {
    return null;
  }
}
