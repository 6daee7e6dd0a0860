import { join, resolve } from 'node:path';
import { type RunConfig, readConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import type { Given } from '../settings.ts';
import { shellWord } from '../shell-word.ts';
import type { State } from '../state.ts';
import { readConfigOf } from '../store/catalog.ts';
import { foldsAround, readFolds, suiteIn } from '../store/folds.ts';
import { readRun } from '../store/run-dir.ts';
import { leaveOut } from '../suite/left-out.ts';
import { loadSuite } from '../suite/load.ts';
import type { Suite, Task } from '../suite/suite.ts';
import { displayed } from './read-report.ts';

/** A run that has ended, with a champion to look at, and all that it takes to measure further trials as it did. */
export type FinishedRun = {
  dir: string;
  /** For people. */
  name: string;
  state: State;
  config: RunConfig;
  suite: Suite;
  /** What no job may see: its folder, or that of all folds where it is one of them. */
  around: string;
  /** Its search and validation tasks: what may be looked at again. */
  tasks: Task[];
  champion: { id: string; genome: Genome };
  baseline: { id: string; genome: Genome };
};

/**
 * Reads the run and its suite. `settings` are flags that change how trials are run, and never what they give. Throws a
 * `UserError` where the run has not ended, its champion is the baseline, or its suite is no longer what it was.
 */
export async function finishedRun(folder: string, settings: Given): Promise<FinishedRun> {
  await refuseFolds(folder);
  const { dir, state, loadGenome } = await readRun(resolve(folder));
  const name = displayed(dir);
  const identity = state.identity!;
  if (state.result?.stop !== 'finished' || state.champion === null) {
    throw new UserError(
      `${name} has not ended: its champion is not chosen yet`,
      `\`evolve resume ${shellWord(name)}\` goes on with it`,
    );
  }
  if (state.champion === state.baseline) {
    throw new UserError(
      `the champion of ${name} is the baseline itself, so no gene differs`,
      '`evolve report` says what was measured; more generations or another seed may find more',
    );
  }
  const { seed, population, model, search } = identity;
  const before = await readConfigOf(dir);
  const stored = { ...(await readConfig({})), ...before, seed, population, model, search };
  const read = await readConfig(settings, { ...stored, generations: state.generations, out: dir });
  // Only the agent is asked.
  const agent = { model, baseUrl: null, keyVariable: null };
  const config = { ...read, mutator: agent, critic: agent };
  const around = await foldsAround(dir);
  const suite = leaveOut(await suiteIn(dir, await loadSuite(config.suite)), identity.leftOut);
  if (suite.hash !== identity.suiteHash) {
    throw new UserError(
      `${displayed(suite.dir)} is not the suite that ${name} ran on: it was changed, or is another one`,
      'give that suite by --suite; scores on other tasks or answers cannot be compared',
    );
  }
  return {
    ...{ dir, name, state, config, suite, around: around ?? dir },
    tasks: suite.tasks.filter(({ role }) => role !== 'sealed'),
    champion: { id: state.champion, genome: await loadGenome(state.champion) },
    baseline: { id: state.baseline, genome: await loadGenome(state.baseline) },
  };
}

/** Folds have a champion each. */
async function refuseFolds(folder: string): Promise<void> {
  const folds = await readFolds(folder);
  if (folds === null) return;
  throw new UserError(
    `${displayed(resolve(folder))} holds ${folds.folds.length} searches, each with a champion of its own`,
    `give one of them, such as ${join(displayed(resolve(folder)), folds.folds[0]?.folder ?? 'fold-1')}`,
  );
}
