import { rngAt } from '../rng.ts';
import { formatCsv, parseCsv } from './csv.ts';
import type { Task } from './suite.ts';

/** What agents that know nothing hand in: an empty file, the sample submission, values at random. */
export type Trivial = {
  empty: string;
  echo: string;
  /** None where it is not known what values there may be. */
  random: string[];
  /** How many rows of all random ones are right by luck, about, where cells are labels; infinite where they are numbers. */
  hits: number;
};

const RANDOM = 4;
/** Metrics of scores or probabilities: what is plausible does not depend on the data. */
const SHARES: string[] = ['log-loss', 'bits-per-byte', 'roc-auc'];
const LABELS: string[] = ['accuracy', 'macro-f1'];

/**
 * The trivial submissions to a task, from the texts of its public files alone (`train` is null where there is none); the
 * same files give the same submissions. Random values are uniform in (0, 1) for scores and probabilities; else drawn from
 * the target's column of `train`, else from that of the sample if that holds more than one value, else whole numbers from
 * 0 to 9, or nothing where labels are wanted. Throws an `Error` where the sample is no table.
 */
export function trivialSubmissions(
  task: Pick<Task, 'id' | 'metric' | 'targetColumns'>,
  sample: string,
  train: string | null,
): Trivial {
  const { header, rows } = parseCsv(sample);
  const columns = header.map((name) =>
    task.targetColumns.includes(name) ? plausible(task.metric, name, sample, train) : null,
  );
  const known = columns.every((values) => values === null || values.length > 0);
  const random = Array.from({ length: known ? RANDOM : 0 }, (_, k) => {
    const rng = rngAt('audit', task.id, k);
    return formatCsv(
      header,
      rows.map((row) => row.map((cell, at) => (columns[at] ? rng.pick(columns[at]) : cell))),
    );
  });
  const luck = columns.reduce((product, values) => product * (values ? chanceOfTwins(values) : 1), 1);
  const hits = LABELS.includes(task.metric) ? random.length * rows.length * luck : Number.POSITIVE_INFINITY;
  return { empty: '', echo: sample, random, hits };
}

/** What may stand in a column, each value as often as it is likely. */
function plausible(metric: string, name: string, sample: string, train: string | null): string[] {
  if (SHARES.includes(metric)) return Array.from({ length: 999 }, (_, i) => String((i + 1) / 1000));
  const trained = train === null ? [] : columnOf(train, name);
  if (trained.length > 0) return trained;
  const shown = columnOf(sample, name);
  if (new Set(shown).size > 1) return shown;
  return LABELS.includes(metric) ? [] : [...'0123456789'];
}

/** The cells of a column that are not blank; none where there is no such column, or no table. */
function columnOf(text: string, name: string): string[] {
  try {
    const { header, rows } = parseCsv(text);
    const at = header.indexOf(name);
    return at < 0 ? [] : rows.map((row) => row[at]!).filter((cell) => cell.trim() !== '');
  } catch {
    return [];
  }
}

/** The chance that two values drawn at random are the same. */
function chanceOfTwins(values: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum + (count / values.length) ** 2, 0);
}
