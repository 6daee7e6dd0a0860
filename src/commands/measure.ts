import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunConfig } from '../config.ts';
import { poolEvaluator } from '../evaluation/pool.ts';
import { type Outcome, type TrialSpec, trialSpec } from '../evaluation/trial.ts';
import type { Genome } from '../genome/genome.ts';
import { genomeId } from '../genome/hash.ts';
import type { JobRunner } from '../jobs/job.ts';
import type { Profile } from '../llm/profile.ts';
import { startGrader } from '../suite/grader.ts';
import type { Suite, Task } from '../suite/suite.ts';
import { byTask, costOf, type Measurement, measureRoles, measureTask } from './measurement.ts';
import type { Models } from './models.ts';

export type MeasureOptions = {
  genome: Genome;
  /** For display. */
  genomeDir: string;
  suite: Suite;
  tasks: readonly Task[];
  repeats: number;
  config: Pick<RunConfig, 'model' | 'seed' | 'workers' | 'concurrency'>;
  models: Pick<Models, 'agent' | 'ledger' | 'halted'>;
  profile: Profile;
  runner: JobRunner;
  /** Where the trials' folders go; null for nowhere. */
  trialsDir: string | null;
  signal: AbortSignal;
  /** Called for every trial that is done, and not cut off. */
  told(): void;
};

/** Measures a genome on tasks, repeats 0 … K − 1 each; null if interrupted. */
export async function measure(asked: MeasureOptions): Promise<Measurement | null> {
  const { genome, suite, tasks, repeats, config, models, profile, runner } = asked;
  const signal = AbortSignal.any([asked.signal, models.halted, runner.halted]);
  const started = performance.now();
  const id = genomeId(genome);
  const trialsDir = asked.trialsDir ?? mkdtempSync(join(tmpdir(), 'evolve-trial-'));
  const { workers, concurrency, model, seed } = config;
  const closers: (() => Promise<void>)[] = [];
  try {
    const grader = await startGrader(suite.dir);
    closers.unshift(() => grader.close());
    const genomes = () => genome;
    const options = { workers, concurrency, trialsDir, suite, genomes, runner, grader, model };
    const evaluator = poolEvaluator({ ...options, llm: models.agent, profile });
    closers.unshift(() => evaluator.close());
    const specs = tasks.flatMap((task) =>
      Array.from({ length: repeats }, (_, repeat) => trialSpec(seed, model, id, task, repeat)),
    );
    const told = (_: TrialSpec, outcome: Outcome) => isCut(outcome, signal) || asked.told();
    const found = await evaluator.evaluate(specs, told, signal);
    const outcomes = found.map((outcome) => (isCut(outcome, signal) ? STOPPED : outcome));
    if (asked.signal.aborted) return null;
    const groups = byTask(specs, outcomes);
    const measured = tasks.map((task) => measureTask(task, groups.get(task.id) ?? []));
    const { run, hits } = runner.stats();
    return {
      genome: { dir: asked.genomeDir, id },
      suite: { dir: suite.dir, name: suite.name, hash: suite.hash },
      model,
      seed,
      repeats,
      tasks: measured,
      roles: measureRoles(measured),
      trials: { run: specs.length, lost: outcomes.filter(({ kind }) => kind === 'lost').length },
      jobs: { run, hits },
      cost: { ...costOf(outcomes), ...paidBy(models) },
      wallMs: Math.round(performance.now() - started),
      trialsDir: asked.trialsDir,
    };
  } finally {
    for (const close of closers) await close();
    if (asked.trialsDir === null) rmSync(trialsDir, { recursive: true, force: true });
  }
}

const STOPPED: Outcome = { kind: 'lost', reason: 'stopped before its end' };

function isCut(outcome: Outcome, signal: AbortSignal): boolean {
  return signal.aborted && outcome.kind === 'lost' && outcome.reason === 'interrupted';
}

/** All calls, those of trials that were lost included; nothing where no endpoint was asked. */
function paidBy({ ledger }: Pick<Models, 'ledger'>): { usd?: number; tokensIn?: number; tokensOut?: number } {
  if (!ledger) return {};
  const { usd, tokensIn, tokensOut } = ledger.totals();
  return { usd, tokensIn, tokensOut };
}
