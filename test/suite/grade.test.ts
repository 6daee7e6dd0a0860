import { describe, expect, it } from 'vitest';
import { readAnswers } from '../../src/suite/answers.ts';
import { gradeSubmission } from '../../src/suite/grade.ts';
import { readTaskFile } from '../../src/suite/task-file.ts';
import { tinyTask } from '../fixtures/tiny-suite.ts';

const files = tinyTask();
const answers = readAnswers(readTaskFile(JSON.parse(files['task.json']!)), (file) => files[file] ?? null);
const right = files['prepared/private/answers.csv']!;
const grade = (text: string) => gradeSubmission(answers, text);

describe('gradeSubmission', () => {
  it('grades a right submission, whatever the order of rows and columns', () => {
    expect(grade(right)).toEqual({ valid: true, raw: 0, score: 1, medal: 'gold', aboveMedian: true });
    const [, ...rows] = right.trimEnd().split('\n');
    const turned = rows.reverse().map((row) => row.split(',').reverse().join(','));
    expect(grade(`y,id\n${turned.join('\n')}\n`)).toEqual(grade(right));
  });

  it('gives the share of the leaderboard and the medal', () => {
    const off = right.replace('1.5', '2.0').replace('3.5', '4.0').replace('5.5', '6.0').replace('7.5', '8.0');
    const graded = grade(off.replace('9.5', '10.0'));
    expect(graded).toMatchObject({ valid: true, raw: 0.5, medal: 'none', aboveMedian: true });
    // Between 0.4 (3.5 of 6 beaten) and 0.8 (2.5 of 6), a quarter of the way.
    expect(graded).toHaveProperty('score', (3.5 - 0.25) / 6);
  });

  it.each([
    ['', 'no header'],
    ['id,y\n"t0,1\n', 'never closed'],
    [right.replace('id,y', 'id,label'), 'the header is id,label, not id,y'],
    [right.replace('id,y', 'y'), 'line 2'],
    [right.replace(/\n/g, ',1\n').replace('y,1', 'y,z'), 'the header is id,y,z, not id,y'],
    [right.replace(/t4.*\n/, ''), '4 rows, not 5'],
    [right.replace('t4', 't3'), 'an id stands twice'],
    [right.replace('t4', 't5'), 'no row for id "t4"'],
    [right.replace('1.5', ''), 'an empty cell in the row of id "t0"'],
    [right.replace('1.5', 'NaN'), '"NaN" is not a number'],
    [right.replace('1.5', '1e308'), 'the rmse is Infinity'],
  ])('calls %j invalid', (text, reason) => {
    expect(grade(text)).toEqual({ valid: false, reason: expect.stringContaining(reason) });
  });
});
