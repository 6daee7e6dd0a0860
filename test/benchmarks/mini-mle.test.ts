import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/suite/csv.ts';
import { readLeaderboard } from '../../src/suite/leaderboard.ts';
import { loadSuite } from '../../src/suite/load.ts';
import { METRICS } from '../../src/suite/metrics.ts';

const SHIPPED = 'benchmarks/mini-mle';
const BUILDER = 'benchmarks/mini-mle/build/build-suite.mjs';
const suite = await loadSuite(SHIPPED);

function read(...path: string[]): string {
  return readFileSync(join(SHIPPED, 'tasks', ...path), 'utf8');
}

function filesUnder(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((e) => relative(dir, join(e.parentPath, e.name)));
}

describe('the shipped suite', () => {
  it('has 8 search, 4 validation and 12 sealed tasks, the sealed ones near and far', () => {
    const count = (role: string) => suite.tasks.filter((task) => task.role === role).length;
    expect([count('search'), count('validation'), count('sealed')]).toEqual([8, 4, 12]);
    const seen = new Set(suite.tasks.filter((task) => task.role === 'search').map((task) => task.family));
    for (const task of suite.tasks) {
      const expected = task.role !== 'sealed' ? null : seen.has(task.family) ? 'near' : 'far';
      expect(task.distance, task.id).toBe(expected);
    }
    expect(suite.tasks.filter((task) => task.distance === 'far').length).toBeGreaterThanOrEqual(5);
  });

  describe.each(suite.tasks)('$id', (task) => {
    it('has a leaderboard of at least 60 rows, best first, that runs as the metric does', () => {
      const { scores, direction } = readLeaderboard(read(task.id, 'leaderboard.csv'));
      expect(scores.length).toBeGreaterThanOrEqual(60);
      expect(direction).toBe(METRICS[task.metric]);
      expect(task.direction).toBe(METRICS[task.metric]);
      const sorted = [...scores].sort((a, b) => (direction === 'max' ? b - a : a - b));
      expect(scores).toEqual(sorted);
    });

    it('holds no answers in its public folder', () => {
      const open = join(SHIPPED, 'tasks', task.id, 'prepared/public');
      expect(readdirSync(open).sort()).toEqual([
        'description.md',
        'sample_submission.csv',
        'test.csv',
        'train.csv',
      ]);
      const [target] = task.targetColumns;
      const test = parseCsv(read(task.id, 'prepared/public/test.csv'));
      const answers = parseCsv(read(task.id, 'prepared/private/answers.csv'));
      const sample = parseCsv(read(task.id, 'prepared/public/sample_submission.csv'));
      expect(test.header).not.toContain(target);
      expect(answers.header).toEqual(['id', target]);
      expect(sample.header).toEqual(['id', target]);
      expect(sample.rows.map(([id]) => id)).toEqual(answers.rows.map(([id]) => id));
      expect(test.rows.map(([id]) => id)).toEqual(answers.rows.map(([id]) => id));
      expect(sample.rows).not.toEqual(answers.rows);
      const trained = new Set(parseCsv(read(task.id, 'prepared/public/train.csv')).rows.map(([id]) => id));
      expect(answers.rows.some(([id]) => trained.has(id))).toBe(false);
    });

    it('names its metric, its columns and its files on its page', () => {
      const page = read(task.id, 'prepared/public/description.md');
      const better = METRICS[task.metric] === 'max' ? 'higher' : 'lower';
      expect(page).toContain(`\nMetric: ${task.metric} (${better} is better)\n`);
      expect(page).toContain('\nId column: id\n');
      expect(page).toContain(`\nTarget column: ${task.targetColumns[0]}\n`);
      for (const file of ['train.csv', 'test.csv', 'sample_submission.csv', 'submission.csv']) {
        expect(page).toContain(`\`${file}\``);
      }
    });
  });
});

describe('build-suite', () => {
  let out: string;
  const build = (...args: string[]) =>
    execFileSync(process.execPath, [BUILDER, ...args], { encoding: 'utf8' });

  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'mini-mle-test-'));
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('makes the tables of the shipped suite, byte for byte', () => {
    const dir = join(out, 'tables');
    build('--out', dir, '--tables-only');
    const files = filesUnder(dir);
    expect(files.filter((file) => file.endsWith('answers.csv'))).toHaveLength(suite.tasks.length);
    const differing = files.filter((f) => !readFileSync(join(dir, f)).equals(readFileSync(join(SHIPPED, f))));
    // The audit needs the leaderboards.
    expect(differing).toEqual(['suite.json']);
    const { audit, ...plain } = JSON.parse(readFileSync(join(SHIPPED, 'suite.json'), 'utf8'));
    expect(JSON.parse(readFileSync(join(dir, 'suite.json'), 'utf8'))).toEqual(plain);
    expect(audit.hash).toBe(suite.hash);
    const sealed = suite.tasks.filter(({ role }) => role === 'sealed').map(({ id }) => id);
    expect(Object.keys(audit.tasks)).toEqual(sealed);
  });

  it('makes its leaderboards, byte for byte', () => {
    const ids = ['wine-cultivars', 'bicycle-hires'];
    const dir = join(out, 'boards');
    build('--out', dir, '--tasks', ids.join(','));
    for (const id of ids) {
      expect(readFileSync(join(dir, 'tasks', id, 'leaderboard.csv'), 'utf8')).toBe(
        read(id, 'leaderboard.csv'),
      );
    }
  });

  it('makes a sister suite of other rows from another seed', () => {
    const dir = join(out, 'sister');
    build('--seed', '7', '--out', dir, '--tables-only');
    for (const task of suite.tasks) {
      const sister = readFileSync(join(dir, 'tasks', task.id, 'prepared/private/answers.csv'), 'utf8');
      expect(sister, task.id).not.toBe(read(task.id, 'prepared/private/answers.csv'));
    }
  });

  it('refuses a sister suite without a folder of its own, and leaves the shipped one alone', () => {
    const before = statSync(join(SHIPPED, 'suite.json')).mtimeMs;
    expect(() => execFileSync(process.execPath, [BUILDER, '--seed', '7'], { stdio: 'pipe' })).toThrow(
      /--out/,
    );
    expect(statSync(join(SHIPPED, 'suite.json')).mtimeMs).toBe(before);
  });
});
