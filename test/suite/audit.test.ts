import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditTasks } from '../../src/suite/audit.ts';
import { formatCsv, parseCsv } from '../../src/suite/csv.ts';
import { gradeSubmission } from '../../src/suite/grade.ts';
import { loadSuiteWithAnswers } from '../../src/suite/load.ts';
import type { MetricName } from '../../src/suite/suite.ts';
import { trivialSubmissions } from '../../src/suite/trivial.ts';
import { tinyTask, writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audit-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** What an audit says of a suite of one task: the tiny one, with other files. */
async function audit(files: Record<string, string>): Promise<string | null> {
  const suite = JSON.stringify({ name: 's', tasks: [{ id: 'one', role: 'search' }] });
  await writeFiles(dir, { 'suite.json': suite });
  await writeFiles(join(dir, 'one'), { ...tinyTask(), ...files });
  const { suite: loaded, answers } = await loadSuiteWithAnswers(dir);
  const grader = {
    grade: async (id: string, csv: string) => gradeSubmission(answers.get(id)!, csv),
  };
  return (await auditTasks(loaded.tasks, grader)).one!;
}

const board = (scores: number[]) => ({
  'leaderboard.csv': formatCsv(
    ['score'],
    scores.map((score) => [String(score)]),
  ),
});

/** Files of a task with labels: 40 rows each, those of training from `trained`, the answers all `answer`. */
function labelled(trained: string[], answer: string, sample = trained[0]!): Record<string, string> {
  const ids = Array.from({ length: 40 }, (_, i) => `t${i}`);
  const table = (cell: (i: number) => string) =>
    formatCsv(
      ['id', 'y'],
      ids.map((id, i) => [id, cell(i)]),
    );
  return {
    'task.json': tinyTask()['task.json']!.replace('"rmse"', '"accuracy"').replace('"min"', '"max"'),
    ...board([0.99, 0.98, 0.97, 0.96]),
    'prepared/public/train.csv': table((i) => trained[i % trained.length]!),
    'prepared/public/test.csv': formatCsv(
      ['id'],
      ids.map((id) => [id]),
    ),
    'prepared/public/sample_submission.csv': table(() => sample),
    'prepared/private/answers.csv': table(() => answer),
  };
}

describe('auditTasks', () => {
  it('finds nothing wrong with a task that takes some knowledge', async () => {
    expect(await audit({})).toBeNull();
    expect(await audit(labelled(['a', 'b'], 'b'))).toBeNull();
  });

  it('finds a task whose sample submission is above the median', async () => {
    // The sample, all 0, has an error of about 6.
    expect(await audit(board([0.1, 7, 8, 9]))).toMatch(/^the sample submission is above/);
    expect(await audit(board([0.1, 0.2, 0.3, 9]))).toBeNull();
  });

  it('finds a task on which random values are above the median', async () => {
    const bad = { 'prepared/public/sample_submission.csv': 'id,y\nt0,99\nt1,99\nt2,99\nt3,99\nt4,99\n' };
    expect(await audit({ ...bad, ...board([0.1, 10, 20, 30]) })).toMatch(/^random values are above/);
  });

  it('finds a task that answers everyone the same', async () => {
    // The labels of the answers are written in another way than those of the training data.
    expect(await audit(labelled(['a', 'b'], 'A'))).toMatch(/the same score$/);
  });

  it('does not take bad luck among many labels for that', async () => {
    const many = Array.from({ length: 40 }, (_, i) => `label ${i}`);
    expect(await audit(labelled(many, 'rare'))).toBeNull();
  });
});

describe('trivialSubmissions', () => {
  const sample = formatCsv(
    ['id', 'y'],
    Array.from({ length: 30 }, (_, i) => [`t${i}`, '7']),
  );
  const of = (metric: MetricName, train: string | null = null, id = 'one') =>
    trivialSubmissions({ id, metric, targetColumns: ['y'] }, sample, train);
  const cells = (text: string) => parseCsv(text).rows.map(([, y]) => y!);

  it('are an empty file, the sample, and several random ones with its ids', () => {
    const { empty, echo, random } = of('rmse');
    expect([empty, echo]).toEqual(['', sample]);
    expect(new Set(random).size).toBeGreaterThan(2);
    for (const text of random) {
      expect(parseCsv(text).header).toEqual(['id', 'y']);
      expect(parseCsv(text).rows.map(([id]) => id)).toEqual(parseCsv(sample).rows.map(([id]) => id));
    }
  });

  it('are the same for the same task, and others for another', () => {
    expect(of('rmse')).toEqual(of('rmse'));
    expect(of('rmse').random).not.toEqual(of('rmse', null, 'two').random);
  });

  it('hold values of the training data, probabilities, or whole numbers', () => {
    const drawn = (metric: MetricName, train: string | null) =>
      new Set(of(metric, train).random.flatMap(cells));
    expect([...drawn('macro-f1', 'y,x\nred,1\nblue,2\n ,3\n')].sort()).toEqual(['blue', 'red']);
    for (const p of drawn('roc-auc', 'y\n0\n1\n')) expect(Number(p) > 0 && Number(p) < 1).toBe(true);
    for (const n of drawn('quadratic-kappa', null)) expect(n).toMatch(/^\d$/);
  });

  it('are no random ones where labels are not known, nor where the training data are no table', () => {
    expect(of('accuracy').random).toEqual([]);
    expect(of('accuracy', '"').random).toEqual([]);
    expect(of('accuracy', 'x\n1\n').random).toEqual([]);
  });
});
