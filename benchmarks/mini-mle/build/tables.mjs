import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rngAt } from '../../../dist/rng.js';
import { formatColumns } from './csv.mjs';
import { describe, directionOf } from './describe.mjs';
import { LIMITS } from './tasks.mjs';

/**
 * The rows of a task from the suite's seed, split into training and test rows.
 * @returns {{ data: object, ids: string[], cut: number }} `cut`: how many rows are for training
 */
export function makeData(task, seed) {
  const data = task.generate(rngAt('mini-mle', seed, task.id));
  return { data, ids: data.target.map((_, i) => String(i + 1)), cut: data.trainRows };
}

/** Tables as the components of the offline model read them: `{ n, columns }` for train, test and the answers. */
export function asTables({ data, ids, cut }) {
  const part = (from, to, withTarget) => {
    const columns = { id: ids.slice(from, to) };
    for (const [name, cells] of Object.entries(data.columns))
      columns[name] = cells.slice(from, to).map(String);
    if (withTarget) columns[data.targetName] = data.target.slice(from, to).map(String);
    return { n: columns.id.length, columns };
  };
  return {
    train: part(0, cut, true),
    test: part(cut, ids.length, false),
    answers: data.target.slice(cut).map(String),
  };
}

/** Writes everything of a task but its leaderboard into `dir`. */
export function writeTask(task, made, dir) {
  const { data } = made;
  const { train, test, answers } = asTables(made);
  const [open, closed] = [join(dir, 'prepared/public'), join(dir, 'prepared/private')];
  mkdirSync(open, { recursive: true });
  mkdirSync(closed, { recursive: true });
  const sample = formatColumns({
    id: test.columns.id,
    [data.targetName]: sampleOf(task.metric, data, made.cut, test),
  });
  const size = { train: train.n, test: test.n, sample: sample.split('\n').slice(0, 4).join('\n') };
  writeFileSync(join(open, 'train.csv'), formatColumns(train.columns));
  writeFileSync(join(open, 'test.csv'), formatColumns(test.columns));
  writeFileSync(join(open, 'sample_submission.csv'), sample);
  writeFileSync(join(open, 'description.md'), describe(task, data, size));
  writeFileSync(
    join(closed, 'answers.csv'),
    formatColumns({ id: test.columns.id, [data.targetName]: answers }),
  );
  const { id, role, family, distance, metric } = task;
  const about = { id, role, family, distance, metric, direction: directionOf(metric), idColumn: 'id' };
  const json = { ...about, targetColumns: [data.targetName], limits: LIMITS, runtime: 'node' };
  writeFileSync(join(dir, 'task.json'), `${JSON.stringify(json, null, 2)}\n`);
}

/** The same answer for every row, valid and bad: a probability of a half, the first class, the token itself, or 0. */
function sampleOf(metric, data, cut, test) {
  if (test.columns.token) return test.columns.token;
  const value = {
    accuracy: () => [...new Set(data.target.slice(0, cut))].sort()[0],
    'macro-f1': () => [...new Set(data.target.slice(0, cut))].sort()[0],
    'log-loss': () => '0.5',
    'roc-auc': () => '0.5',
    'quadratic-kappa': () => '3',
  }[metric];
  return test.columns.id.map(() => (value ? value() : '0'));
}
