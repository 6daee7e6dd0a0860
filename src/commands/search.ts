import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunConfig } from '../config.ts';
import { poolEvaluator } from '../evaluation/pool.ts';
import type { Result, RunIdentity } from '../event.ts';
import { type EvolveParts, evolve } from '../evolve.ts';
import type { Founders } from '../genome/founders.ts';
import type { Constitution } from '../guard/constitution.ts';
import { objections } from '../guard/review.ts';
import type { JobRunner } from '../jobs/job.ts';
import type { Advisor } from '../llm/advisor.ts';
import type { Llm } from '../llm/llm.ts';
import { renderMemory } from '../memory/render.ts';
import { startProgress } from '../progress.ts';
import { span } from '../report/format.ts';
import { withGate } from '../selection/gate.ts';
import { drawsBelow } from '../selection/resample.ts';
import { writeCatalog } from '../store/catalog.ts';
import { type LiveBoard, openLive } from '../store/live.ts';
import { openRun, type Run } from '../store/run-dir.ts';
import { readTrajectory } from '../store/trajectory-file.ts';
import { startGrader } from '../suite/grader.ts';
import type { Suite } from '../suite/suite.ts';
import type { Context, Output } from './context.ts';
import { haltOfJobs, openJobs } from './jobs.ts';
import { GRACE_MS, type Halt, openModels } from './models.ts';
import type { Parties, Party } from './parties.ts';
import { endTrials } from './plan.ts';
import { groundOf, searchForecast } from './search-forecast.ts';

const AFTER_CALLS = `; model calls under way may end first, ${GRACE_MS / 1000} s at most`;

/** What a search is made of, all of it checked. */
export type SearchParts = {
  config: RunConfig;
  parties: Parties;
  suite: Suite;
  founders: Founders;
  constitution: Constitution;
  identity: RunIdentity;
  output: Output;
  context: Context;
  /** Folders that no job may see, beside those of the suite and the run. */
  hidden?: readonly string[];
  /** What is done with the parts: the search, unless told. */
  body?: (parts: EvolveParts) => Promise<Result>;
};

/** The composition root: opens what a search needs, searches, and closes it all again, whatever happened. */
export async function search(
  parts: SearchParts,
): Promise<{ dir: string; result: Result; halt: Halt | null }> {
  const { config, parties, suite, founders, constitution, identity, output, context } = parts;
  const interrupted = context.interruption();
  const run = await openRun(config.out, identity, {
    say: (line) => context.note(`evolve: ${line}`),
    signal: interrupted,
  });
  if (run.notice) context.note(`evolve: ${run.notice}`);
  run.logJob({ session: 'started', at: new Date().toISOString() });
  await writeCatalog(run.dir, run.state, remembered(config, suite));
  const live = openLive(run.dir, { usage: () => runner.stats() });
  // Until there are bars, which a line must not tear.
  let note = context.note;
  const time = timer(config.maxTimeMs);
  const stop = AbortSignal.any([interrupted, time.signal]);
  const runner = await openRunner(parts, run, live, stop, (line) => note(`evolve: ${line}`)).catch(
    (error) => {
      time.clear();
      throw error;
    },
  );
  const searched = searchForecast(config, groundOf(config, suite, founders)).trials.expected;
  const progress = startProgress({
    stream: process.stderr,
    quiet: output.quiet,
    generations: config.generations,
    passed: run.state.generation + 1,
    endTrials: endTrials(config, suite, searched).all,
    jobs: runner.stats,
    underWay: live.underWay,
    usd: () => models.ledger?.totals().usd ?? 0,
  });
  note = progress.note;
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
  const halt = () => models.halt() ?? haltOfJobs(runner);
  const onInterrupt = () =>
    progress.note(`evolve: stopping${models.ledger ? AFTER_CALLS : ''}; Ctrl-C again leaves at once`);
  interrupted.addEventListener('abort', onInterrupt);
  const closers: (() => Promise<void> | void)[] = [
    () => models.close(),
    () => runner.close(),
    () => live.close(),
  ];
  try {
    const grader = await startGrader(suite.dir);
    closers.unshift(() => grader.close());
    const pool = poolEvaluator({
      workers: config.workers,
      concurrency: config.concurrency,
      trialsDir: join(run.dir, 'trials'),
      suite,
      genomes: run.loadGenome,
      prune: ({ repeat, task }) => run.state.prune.get(repeat)?.[task],
      grader,
      runner,
      model: config.model,
      llm: models.agent,
      profile: parties.agent.profile,
    });
    closers.unshift(() => pool.close());
    const evaluator = withGate(pool, { state: run.state, suite }, sealedBelow(identity, suite));
    const result = await (parts.body ?? evolve)({
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
      readTrajectory: (trial) => readTrajectory(run.trialDir(trial)),
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
        return time.signal.aborted ? 'max-time' : (halt()?.stop ?? null);
      },
      signal: AbortSignal.any([stop, models.halted, runner.halted]),
    });
    const halted = halt();
    if (halted?.error) throw halted.error;
    return { dir: run.dir, result, halt: halted };
  } finally {
    interrupted.removeEventListener('abort', onInterrupt);
    progress.close();
    time.clear();
    for (const close of closers) await close();
    await run.checkpoint().finally(() => run.close());
  }
}

/** Who runs the jobs of a run whose folder is open; closes that again where nobody can. */
async function openRunner(
  { config, parties, suite, identity, output, hidden = [] }: SearchParts,
  run: Run,
  live: LiveBoard,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<JobRunner> {
  const say = output.quiet ? () => {} : note;
  try {
    return await openJobs({
      config,
      parties,
      suite,
      hidden: [suite.dir, run.dir, ...hidden],
      shared: join(run.dir, 'slurm'),
      identity,
      resumable: true,
      say,
      signal,
      onJob: (record) => run.logJob(record),
      onLive: live.news,
    });
  } catch (error) {
    await run.close();
    // A run that has not begun is none: `evolve resume` could do nothing with it.
    if (run.state.identity === null) rmSync(run.dir, { recursive: true, force: true });
    throw error;
  }
}

/** The sealed repeats that the run may score: of plain sampling as many as it draws, of the baseline alone. */
function sealedBelow({ search: settings, control }: RunIdentity, { tasks }: Suite): number {
  const { sealedRepeats, searchTrials = 0 } = settings;
  if (control !== 'resample') return sealedRepeats;
  return drawsBelow(searchTrials, tasks.filter(({ role }) => role === 'sealed').length, sealedRepeats);
}

function advisor({ model, profile }: Party, ask: Llm): Advisor {
  return { ask, model, context: profile.context };
}

/** What `run.json` keeps: folders as absolute paths, so that `resume` works from anywhere. */
function remembered(config: RunConfig, suite: Suite): RunConfig {
  return { ...config, suite: suite.dir, genomes: resolve(config.genomes) };
}

/** A signal that is aborted when the time is up; `clear` lets the process end before. */
function timer(ms: number | null): { signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timeout = ms === null ? undefined : setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timeout) };
}
