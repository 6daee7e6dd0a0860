import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { auditedSuite } from '../../../src/commands/audited.ts';
import { poolEvaluator } from '../../../src/evaluation/pool.ts';
import { makeScratch, removeScratch } from '../../../src/evaluation/scratch.ts';
import { loadFounders } from '../../../src/genome/founders.ts';
import type { Genome } from '../../../src/genome/genome.ts';
import { loadConstitution } from '../../../src/guard/constitution.ts';
import { localRunner } from '../../../src/jobs/local/local.ts';
import { startGrader } from '../../../src/suite/grader.ts';
import { loadSuite } from '../../../src/suite/load.ts';
import { openMemo } from './memo.ts';
import type { World } from './one-run.ts';

/**
 * Opens what the runs share: threads, grader, jobs with their cache, and the memo of trials in `out/memo`. Folders of
 * trials under way stand in memory and go when the trial is in the memo.
 */
export async function openWorld(options: {
  suite: string;
  genomes: string;
  out: string;
  jobCache: string;
}): Promise<World & { close(): Promise<void> }> {
  const suite = await auditedSuite(await loadSuite(options.suite));
  const founders = await loadFounders(options.genomes);
  const constitution = await loadConstitution(options.genomes);
  const genomes = new Map<string, Genome>();
  const workers = availableParallelism();
  const dir = join(options.out, 'memo');
  mkdirSync(dir, { recursive: true });
  const trialsDir = makeScratch();
  const runner = localRunner({ cacheDir: options.jobCache, hidden: [suite.dir, options.out] });
  const grader = await startGrader(suite.dir);
  const pool = poolEvaluator({
    workers,
    concurrency: 4 * workers,
    trialsDir,
    suite,
    genomes: (id) => genomes.get(id)!,
    grader,
    runner,
    model: 'offline',
    llm: null,
  });
  const memo = openMemo(pool, dir, trialsDir);
  return {
    suite,
    founders,
    constitution,
    memo,
    genomes,
    async close() {
      await memo.close();
      await grader.close();
      await runner.close();
      removeScratch(trialsDir);
    },
  };
}
