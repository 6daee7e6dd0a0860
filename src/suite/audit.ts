import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Grade, Grader, Task } from './suite.ts';
import { type Trivial, trivialSubmissions } from './trivial.ts';

/** By task id: why it is unfit to tell good agents from bad ones; null where it is fit. */
export type Findings = Record<string, string | null>;

/** A larger train.csv is not read for it, in bytes: an audit must not hold up a run. */
const LARGEST_TRAIN = 20_000_000;
/** With so many hits to be expected by luck, not one is no accident (p < 1e-4). */
const ENOUGH_HITS = 10;

/**
 * Tries tasks with agents that know nothing, through the grader: one that hands in an empty file, one that hands in the
 * sample submission, some that hand in random values (`trivialSubmissions`). A task
 * is unfit if it lifts one of them over the median of its leaderboard, or gives all of them the same raw score. Rejects
 * where the grader does.
 */
export async function auditTasks(tasks: readonly Task[], grader: Pick<Grader, 'grade'>): Promise<Findings> {
  const findings: Findings = {};
  for (const task of tasks) findings[task.id] = await auditTask(task, grader);
  return findings;
}

async function auditTask(task: Task, grader: Pick<Grader, 'grade'>): Promise<string | null> {
  const sample = await readFile(join(task.publicDir, 'sample_submission.csv'), 'utf8');
  const trivial = trivialSubmissions(task, sample, await trainOf(task));
  const [empty, echo, ...random] = await Promise.all(
    [trivial.empty, trivial.echo, ...trivial.random].map((csv) => grader.grade(task.id, csv)),
  );
  return faultOf(trivial, { empty: empty!, echo: echo!, random });
}

function faultOf(
  { hits }: Trivial,
  { empty, echo, random }: { empty: Grade; echo: Grade; random: Grade[] },
): string | null {
  const lifted = (grade: Grade) => grade.valid && grade.aboveMedian;
  const above = "above its leaderboard's median";
  if (lifted(empty)) return `an empty submission is ${above}`;
  if (lifted(echo)) return `the sample submission is ${above}`;
  if (random.some(lifted)) return `random values are ${above}`;
  const scores = [echo, ...random].map(rawOf);
  const same = random.length > 0 && scores[0] !== null && scores.every((raw) => raw === scores[0]);
  // Among many labels nobody may be right by luck alone.
  if (same && (scores[0] !== 0 || hits >= ENOUGH_HITS)) {
    return 'it gives the sample submission and all random values the same score';
  }
  return null;
}

function rawOf(grade: Grade): number | null {
  return grade.valid ? grade.raw : null;
}

async function trainOf({ publicDir }: Task): Promise<string | null> {
  const path = join(publicDir, 'train.csv');
  const found = await stat(path).catch(() => null);
  return found?.isFile() && found.size <= LARGEST_TRAIN ? await readFile(path, 'utf8') : null;
}
