import { join } from 'node:path';
import type { JobRunner } from '../jobs/job.ts';
import type { Llm } from '../llm/llm.ts';
import { withReplay } from '../llm/replay.ts';
import { runTrial, type TrialHost } from './run-trial.ts';
import { type ScheduleOptions, scheduleTrials } from './schedule.ts';
import { type Evaluator, numberJobs } from './trial.ts';

export type LocalOptions = ScheduleOptions & { runner: JobRunner; model: string; llm: Llm };

/** The same trials in this thread: for tests, and where threads do not pay. */
export function localEvaluator(options: LocalOptions): Evaluator {
  const { llm, model, runner } = options;
  return scheduleTrials(async ({ genome, task, spec, folder, prune }, signal) => {
    const jobs = new Set<Promise<unknown>>();
    const asker = numberJobs(spec);
    const runJob: TrialHost['runJob'] = (job, identity) => {
      const running = runner.run(job, identity, signal, asker());
      jobs.add(running);
      return running;
    };
    const kept = withReplay(llm, join(folder, 'calls.jsonl'));
    const report = await runTrial(genome, task, spec, {
      folder,
      llm: kept,
      model,
      profile: null,
      prune,
      runJob,
      signal,
    });
    await Promise.all(jobs);
    return report;
  }, options);
}
