import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/suite/csv.ts';
import { startGrader } from '../../src/suite/grader.ts';
import { loadSuite } from '../../src/suite/load.ts';
import type { Grader } from '../../src/suite/suite.ts';

const SHIPPED = 'benchmarks/autoresearch';
const suite = await loadSuite(SHIPPED);

const read = (task: string, file: string) => readFileSync(join(SHIPPED, 'tasks', task, file), 'utf8');
const contexts = (task: string) =>
  read(task, 'prepared/public/contexts.txt')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as string);

it('is what the builder makes, byte for byte', () => {
  const said = execFileSync(process.execPath, [join(SHIPPED, 'build/build.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(said).toBe('The shipped suite is what the builder makes.\n');
});

it('has search, validation and seven sealed tasks, the sealed ones near and far', () => {
  const count = (role: string) => suite.tasks.filter((task) => task.role === role).length;
  expect([count('search'), count('validation'), count('sealed')]).toEqual([2, 2, 7]);
  expect(new Set(suite.tasks.map(({ distance }) => distance))).toEqual(new Set([null, 'near', 'far']));
  expect(suite.tasks.filter(({ prune }) => prune !== null).map(({ role }) => role)).toEqual([
    'search',
    'search',
  ]);
});

describe.each(suite.tasks.map(({ id }) => id))('%s', (id) => {
  it('gives away no answer in its text, nor in one context that of another', () => {
    const text = read(id, 'prepared/public/text.txt');
    const windows = contexts(id);
    expect(new Set(windows).size).toBe(windows.length);
    // A shared end would stand in front of the hidden byte.
    const ends = windows.map((window) => window.slice(-64));
    expect(ends.filter((end) => text.includes(end))).toEqual([]);
    ends.forEach((end, i) => {
      expect(windows.findIndex((window, j) => j !== i && window.includes(end))).toBe(-1);
    });
  });

  it('begins with the shipped program, and lets it alone be changed', () => {
    const start = join(SHIPPED, 'tasks', id, 'prepared/start');
    expect(readdirSync(start).sort()).toEqual(['prepare.py', 'program.md', 'train.py']);
    expect(readFileSync(join(start, 'train.py'), 'utf8')).toBe(
      readFileSync(join(SHIPPED, 'train.py'), 'utf8'),
    );
    expect(suite.tasks.find((task) => task.id === id)?.editable).toEqual(['train.py']);
  });
});

describe('the grader', () => {
  let grader: Grader;
  beforeAll(async () => {
    grader = await startGrader(SHIPPED);
  });
  afterAll(() => grader.close());

  const submission = (task: string, share: (column: string) => number) => {
    const { header, rows } = parseCsv(read(task, 'prepared/public/sample_submission.csv'));
    const cells = header
      .slice(1)
      .map((column) => share(column))
      .join(',');
    return [header.join(','), ...rows.map(([id]) => `${id},${cells}`)].join('\n');
  };

  it('gives even odds the logarithm of the number of bytes', async () => {
    const even = await grader.grade(
      'tales-1',
      submission('tales-1', () => 7),
    );
    expect(even).toMatchObject({ valid: true, medal: 'none' });
    expect(even.valid && even.raw).toBeCloseTo(Math.log2(32), 12);
  });

  it('agrees with the leaderboard on the frequencies of single bytes', async () => {
    // Witten and Bell by hand: t bytes that occur take the weight t from the n that were counted.
    const text = read('tales-1', 'prepared/public/text.txt');
    const count = (symbol: string) => text.split(symbol).length - 1;
    const kinds = new Set(text).size;
    const graded = await grader.grade(
      'tales-1',
      submission('tales-1', (column) => {
        const symbol = String.fromCharCode(Number(column.slice(1)));
        return (count(symbol) + kinds / 32) / (text.length + kinds);
      }),
    );
    const { header, rows } = parseCsv(read('tales-1', 'leaderboard.csv'));
    const row = rows.find((cells) => cells[header.indexOf('teamId')] === 'order 0 on 1/1')!;
    expect(graded.valid && graded.raw.toFixed(4)).toBe(row[header.indexOf('score')]);
  });
});
