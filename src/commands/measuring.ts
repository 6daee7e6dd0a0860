import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { JOB_CACHE } from '../config.ts';
import { poolEvaluator } from '../evaluation/pool.ts';
import type { Evaluator } from '../evaluation/trial.ts';
import type { Genome } from '../genome/genome.ts';
import { span } from '../report/format.ts';
import { startGrader } from '../suite/grader.ts';
import type { FinishedRun } from './finished-run.ts';
import { clearLeft, haltOfJobs, openJobs } from './jobs.ts';
import { type Halt, openModels } from './models.ts';
import { partiesOf } from './parties.ts';
import { partyLines } from './party-lines.ts';
import { makeReady } from './ready.ts';
import { openSharedFolder, sweep } from './shared-folder.ts';

/** What runs further trials of a run that has ended; their folders lie among the run's own. */
export type Measuring = {
  evaluator: Evaluator;
  /** Aborted when no further trial can be had: by the user, a budget, an endpoint, a cluster. */
  signal: AbortSignal;
  /** Why, where it was not the user. */
  halt(): Halt | null;
  close(): Promise<void>;
};

/**
 * Opens model, jobs, grader and threads, checking all that a run checks before it spends anything; throws a
 * `UserError`. `genomes` knows a genome by its id; `interrupted` is the user's wish to stop.
 */
export async function openMeasuring(
  run: FinishedRun,
  genomes: (id: string) => Genome,
  interrupted: AbortSignal,
  say: (line: string) => void,
): Promise<Measuring> {
  const { config, dir } = run;
  const { workers, concurrency, model } = config;
  const trialsDir = join(dir, 'trials');
  const asked = { ...run.suite, tasks: run.tasks };
  const { parties, equipped: suite } = await makeReady(config, partiesOf(config), asked, say);
  for (const line of partyLines(parties, run.champion.genome, config.replay)) say(line);
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const one of closers.splice(0)) await one();
  };
  try {
    const models = openModels(parties, config, null, interrupted, {
      paused: (reason) => say(`paused: ${reason}; going on as soon as it is back`),
      unpaused: (ms) => say(`going on after ${span(ms)}`),
      trouble: say,
    });
    closers.unshift(() => models.close());
    const sharing =
      config.jobs === 'slurm' ? openSharedFolder(resolve(dirname(JOB_CACHE)), randomUUID()) : null;
    closers.unshift(() => sharing?.close());
    const place = { config, say, identity: null };
    const runner = await openJobs({
      ...place,
      ...{ parties, suite, hidden: [suite.dir, run.around], shared: sharing?.dir ?? '' },
      ...{ resumable: false, signal: interrupted },
    });
    closers.unshift(() => runner.close());
    await sweep(sharing?.dead ?? [], (shared) => clearLeft({ ...place, shared }), say);
    const grader = await startGrader(suite.dir);
    closers.unshift(() => grader.close());
    const evaluator = poolEvaluator({
      ...{ workers, concurrency, trialsDir, suite, genomes, grader, runner, model },
      ...{ llm: models.agent, profile: parties.agent.profile },
    });
    closers.unshift(() => evaluator.close());
    return {
      evaluator,
      signal: AbortSignal.any([interrupted, models.halted, runner.halted]),
      halt: () => models.halt() ?? haltOfJobs(runner),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
