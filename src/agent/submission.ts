import { messageOf } from '../errors.ts';
import { type Csv, parseCsv } from '../suite/csv.ts';

/**
 * What is wrong with the form of a submission, judged by the public sample alone: header, rows, ids; null if
 * nothing is. It says nothing of how good the predictions are.
 */
export function submissionFault(submission: string, sample: string): string | null {
  const wanted = parseCsv(sample);
  let given: Csv;
  try {
    given = parseCsv(submission);
  } catch (error) {
    return `submission.csv cannot be read: ${messageOf(error)}`;
  }
  if (given.header.join() !== wanted.header.join()) {
    return `submission.csv has the columns ${given.header.join(', ')}; expected ${wanted.header.join(', ')}`;
  }
  if (given.rows.length !== wanted.rows.length) {
    return `submission.csv has ${given.rows.length} rows; expected ${wanted.rows.length}`;
  }
  const ids = new Set(given.rows.map((row) => row[0]));
  const missing = wanted.rows.find((row) => !ids.has(row[0]!));
  if (missing) return `submission.csv lacks the id ${missing[0]}`;
  const hollow = given.rows.find((row) =>
    // As JavaScript and Python write what is no number.
    row.some((cell) => ['', 'NaN', 'nan', 'undefined'].includes(cell)),
  );
  return hollow ? `submission.csv has a row without a value: ${hollow.join()}` : null;
}
