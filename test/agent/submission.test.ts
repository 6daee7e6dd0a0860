import { expect, test } from 'vitest';
import { submissionFault } from '../../src/agent/submission.ts';

test.each(['', 'NaN', 'nan', 'undefined'])('a cell %j is told before it is graded', (cell) => {
  const sample = 'id,p,q\nt1,1,1\nt2,1,1\n';
  expect(submissionFault(sample, sample)).toBeNull();
  expect(submissionFault(`id,p,q\nt1,1,1\nt2,1,${cell}\n`, sample)).toMatch(/without a value: t2,1,/);
});
