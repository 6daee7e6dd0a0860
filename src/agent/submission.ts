import { parseCsv } from '../suite/csv.ts';

/**
 * What is wrong with the form of a submission, judged by the public sample alone: header, rows, ids; null if
 * nothing is. It says nothing of how good the predictions are.
 */
export function submissionFault(submission: string, sample: string): string | null {
  const [header, ...rows] = parseCsv(submission);
  const [wanted, ...wantedRows] = parseCsv(sample);
  if (!header || !wanted) return 'submission.csv is empty';
  if (header.join() !== wanted.join()) {
    return `submission.csv has the columns ${header.join(', ')}; expected ${wanted.join(', ')}`;
  }
  if (rows.length !== wantedRows.length) {
    return `submission.csv has ${rows.length} rows; expected ${wantedRows.length}`;
  }
  const ids = new Set(rows.map((row) => row[0]));
  const missing = wantedRows.find((row) => !ids.has(row[0]));
  if (missing) return `submission.csv lacks the id ${missing[0]}`;
  const hollow = rows.find(
    (row) => row.length !== wanted.length || row.some((cell) => cell === '' || cell === 'NaN'),
  );
  return hollow ? `submission.csv has a row without a value: ${hollow.join()}` : null;
}
