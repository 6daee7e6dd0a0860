import { messageOf } from '../errors.ts';
import type { Answers } from './answers.ts';
import { type Csv, parseCsv } from './csv.ts';
import { shareBeaten } from './leaderboard.ts';
import { medalOf } from './medals.ts';
import { computeMetric } from './metrics.ts';
import type { Grade } from './suite.ts';

/**
 * Grades the text of a submission. It must have exactly the id column and the target columns, and exactly one
 * row for every id, both in any order. Whatever is wrong with it makes it invalid, with a reason that tells
 * nothing of the answers; this never throws.
 */
export function gradeSubmission(answers: Answers, submissionCsv: string): Grade {
  const invalid = (reason: string): Grade => ({ valid: false, reason });
  let table: Csv;
  try {
    table = parseCsv(submissionCsv);
  } catch (error) {
    return invalid(messageOf(error));
  }
  const { header, rows } = table;
  const wanted = [answers.idColumn, ...answers.targetColumns];
  if (header.length !== wanted.length || wanted.some((name) => !header.includes(name))) {
    return invalid(`the header is ${header.join(',').slice(0, 200)}, not ${wanted.join(',')}`);
  }
  if (rows.length !== answers.ids.length) {
    return invalid(`${rows.length} rows, not ${answers.ids.length}`);
  }
  const id = header.indexOf(answers.idColumn);
  const byId = new Map(rows.map((row) => [row[id]!, row]));
  if (byId.size !== rows.length) return invalid('an id stands twice');
  const missing = answers.ids.find((name) => !byId.has(name));
  if (missing !== undefined) return invalid(`no row for id "${missing}"`);
  const columns = answers.targetColumns.map((name) => header.indexOf(name));
  const predicted = answers.ids.map((name) => columns.map((column) => byId.get(name)![column]!));
  const empty = predicted.findIndex((row) => row.some((cell) => cell.trim() === ''));
  if (empty >= 0) return invalid(`an empty cell in the row of id "${answers.ids[empty]}"`);
  let raw: number;
  try {
    raw = computeMetric(answers.metric, answers.truth, predicted);
  } catch (error) {
    return invalid(messageOf(error));
  }
  if (!Number.isFinite(raw)) return invalid(`the ${answers.metric} is ${raw}`);
  return {
    valid: true,
    raw,
    score: shareBeaten(answers.leaderboard, raw),
    ...medalOf(answers.leaderboard, raw),
  };
}
