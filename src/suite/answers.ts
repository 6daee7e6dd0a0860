import { parseCsv } from './csv.ts';
import { type Leaderboard, readLeaderboard } from './leaderboard.ts';
import { computeMetric, METRICS } from './metrics.ts';
import type { MetricName, Task } from './suite.ts';

/** What `task.json` says that grading needs. */
export type Judged = Pick<Task, 'metric' | 'direction' | 'idColumn' | 'targetColumns'>;

/** All that is needed to grade submissions to one task. `truth` rows are in the order of `ids`. */
export type Answers = {
  metric: MetricName;
  idColumn: string;
  targetColumns: string[];
  ids: string[];
  truth: string[][];
  leaderboard: Leaderboard;
};

/** A fault of a task's files; `file` is relative to the task's folder. */
export class TaskFault extends Error {
  override readonly name = 'TaskFault';

  constructor(
    readonly file: string,
    message: string,
  ) {
    super(message);
  }
}

export const SAMPLE = 'prepared/public/sample_submission.csv';
export const LEADERBOARD = 'leaderboard.csv';
/** Either name is used by MLE-bench. */
export const ANSWERS = ['prepared/private/answers.csv', 'prepared/private/test.csv'] as const;

/**
 * Puts a task's answers together. `read` gives the text of a file of the task's folder, by relative path, or null
 * where it is missing. Throws `TaskFault` for what is missing, columns other than `task.json` says, ids that
 * differ between sample and answers, answers that the metric cannot use, or a leaderboard that runs the wrong way.
 */
export function readAnswers(judged: Judged, read: (file: string) => string | null): Answers {
  const { metric, direction, idColumn, targetColumns } = judged;
  if (METRICS[metric] !== direction) {
    throw new TaskFault(
      'task.json',
      `direction "${direction}", but ${metric} is better when ${better(metric)}`,
    );
  }
  const file = ANSWERS.find((name) => read(name) !== null);
  if (file === undefined) throw new TaskFault(ANSWERS[0], 'no answers');
  const answers = columnsOf(file, read(file)!, idColumn, targetColumns);
  const sampleText = read(SAMPLE);
  if (sampleText === null) throw new TaskFault(SAMPLE, 'no sample submission');
  const sample = columnsOf(SAMPLE, sampleText, idColumn, targetColumns);
  const extra = sample.header.find((name) => name !== idColumn && !targetColumns.includes(name));
  if (extra !== undefined) throw new TaskFault(SAMPLE, `column "${extra}" is not in task.json`);
  sameIds(file, answers.ids, sample.ids);
  const text = read(LEADERBOARD);
  if (text === null) throw new TaskFault(LEADERBOARD, 'no leaderboard');
  const leaderboard = within(LEADERBOARD, () => readLeaderboard(text));
  if (leaderboard.direction !== direction && leaderboard.scores[0] !== leaderboard.scores.at(-1)) {
    throw new TaskFault(
      LEADERBOARD,
      `the best row does not stand first: ${metric} is better when ${better(metric)}`,
    );
  }
  within(file, () => computeMetric(metric, answers.values, answers.values));
  return { metric, idColumn, targetColumns, ids: answers.ids, truth: answers.values, leaderboard };
}

/** The ids and target cells of a table, each id once, or `TaskFault`. */
function columnsOf(file: string, text: string, idColumn: string, targetColumns: string[]) {
  const { header, rows } = within(file, () => parseCsv(text));
  const position = (name: string) => {
    const at = header.indexOf(name);
    if (at < 0)
      throw new TaskFault(file, `no column "${name}", which task.json names (it has ${header.join(', ')})`);
    return at;
  };
  const id = position(idColumn);
  const targets = targetColumns.map(position);
  const ids = rows.map((row) => row[id]!);
  const seen = new Set<string>();
  for (const name of ids) {
    if (seen.has(name)) throw new TaskFault(file, `id "${name}" stands twice`);
    seen.add(name);
  }
  return { header, ids, values: rows.map((row) => targets.map((at) => row[at]!)) };
}

function sameIds(file: string, answers: string[], sample: string[]): void {
  const known = new Set(sample);
  const odd = answers.find((id) => !known.has(id));
  if (odd !== undefined) throw new TaskFault(file, `id "${odd}" is not in ${SAMPLE}`);
  if (answers.length !== sample.length) {
    const own = new Set(answers);
    throw new TaskFault(file, `id "${sample.find((id) => !own.has(id))}" of ${SAMPLE} has no answer`);
  }
}

function within<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new TaskFault(file, (error as Error).message);
  }
}

function better(metric: MetricName): string {
  return METRICS[metric] === 'max' ? 'higher' : 'lower';
}
