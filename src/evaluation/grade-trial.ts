import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Grader } from '../suite/suite.ts';
import type { TrialReport } from './run-trial.ts';
import type { Outcome, TrialSpec, Usage } from './trial.ts';

/** Larger submissions are refused unread, in bytes. */
const LARGEST_SUBMISSION = 5_000_000;

/**
 * The outcome of a trial whose agent is gone: reads a copy of its submission and has it graded. No submission
 * or an invalid one is `failed`, by the agent; a grader that does not answer is `lost`.
 * @param folder the trial's folder
 */
export async function gradeTrial(
  spec: TrialSpec,
  report: Extract<TrialReport, { kind: 'finished' }>,
  folder: string,
  grader: Grader,
): Promise<Outcome> {
  const { turns, tokensIn, tokensOut, usd, gpuMs, jobs, curve, active } = report;
  const usage: Usage = { tokensIn, tokensOut, usd, turns, jobs: jobs.length, gpuMs };
  const failed = (reason: string): Outcome => ({ kind: 'failed', reason, usage, jobs, active });
  if (!report.submission) return failed(`no submission (${report.end})`);
  const submission = readSubmission(join(folder, 'submission.csv'));
  if (submission.text === null) return failed(submission.reason);
  try {
    const grade = await grader.grade(spec.task, submission.text);
    if (!grade.valid) return failed(`invalid submission: ${grade.reason}`);
    const { raw, score, medal, aboveMedian } = grade;
    const known = { score, raw, medal, aboveMedian, usage, jobs, active };
    return { kind: 'scored', ...known, ...(curve ? { curve } : {}) };
  } catch (error) {
    return { kind: 'lost', reason: `the grader did not answer: ${messageOf(error)}` };
  }
}

/** Neither follows a link nor waits on a pipe: without a sandbox, the agent's code could have put one there. */
function readSubmission(path: string): { text: string } | { text: null; reason: string } {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return { text: null, reason: `submission.csv cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  try {
    const { size } = fstatSync(file);
    if (!fstatSync(file).isFile()) return { text: null, reason: 'submission.csv is not a plain file' };
    if (size > LARGEST_SUBMISSION) {
      return { text: null, reason: `submission.csv is larger than ${LARGEST_SUBMISSION} bytes` };
    }
    return { text: readFileSync(file, 'utf8') };
  } finally {
    closeSync(file);
  }
}
