import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPaths, validate } from '../../src/commands/validate.ts';
import { saveGenome } from '../../src/genome/save.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { tinySuite, writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'validate-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function run(paths: string[], flags = {}): Promise<{ code: number; out: string }> {
  const lines: string[] = [];
  const context = {
    interruption: () => new AbortController().signal,
    endOfWatching: () => new AbortController().signal,
    print: (line: string) => lines.push(line),
    note: () => {},
  };
  return { code: await validate(paths, flags, context), out: lines.join('\n') };
}

describe('validate', () => {
  it('accepts what ships', async () => {
    const { code, out } = await run(['genomes', 'genomes/baseline', 'genomes/constitution.json']);
    expect(code).toBe(0);
    expect(out).toContain('ok       genome genomes/cautious');
    expect(out.match(/ok {7}constitution/g)).toHaveLength(2);
    expect(out).not.toContain('PROBLEMS');
  });

  it('lists everything that is wrong with a genome, and goes on to the next', async () => {
    await saveGenome(plainGenome(), join(dir, 'mine'));
    await writeFiles(join(dir, 'mine'), { 'genome.json': '{"sampling":{"temperature":9}}' });
    await writeFiles(join(dir, 'suite'), tinySuite());
    const checks = await checkPaths([dir, join(dir, 'mine'), join(dir, 'suite')]);
    expect(checks.map(({ kind }) => kind)).toEqual(['genome', 'genome', 'suite']);
    expect(checks[2]!.problems).toEqual([]);
    expect(checks[1]!.problems).toContain(
      `${join(dir, 'mine/genome.json')}: sampling.temperature is 9, outside 0 to 2`,
    );
    expect(checks[1]!.problems.length).toBeGreaterThan(5);
    expect(checks[1]!.problems).toContain(`${join(dir, 'mine/genome.json')}: limits is missing`);
  });

  it('names the kind of what it was given, and exits with 2 for problems', async () => {
    await writeFiles(dir, {
      'run.yaml': 'population: 1\n',
      'good.json': '{"population": 8}',
      'constitution.json': '{}',
      'notes.txt': '',
      'suite/suite.json': '{}',
      'empty/x': '',
    });
    const names = ['run.yaml', 'good.json', 'constitution.json', 'notes.txt', 'suite', 'empty', 'none'];
    const { code, out } = await run(
      names.map((name) => join(dir, name)),
      { json: true },
    );
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject([
      { kind: 'config', problems: [expect.stringMatching(/^\/.*run\.yaml: population must be/)] },
      { kind: 'config', problems: [] },
      { kind: 'constitution', problems: [expect.stringContaining('is missing')] },
      { kind: 'unknown' },
      { kind: 'suite', problems: [expect.stringContaining('at least one task')] },
      { kind: 'unknown' },
      { kind: 'unknown', problems: [expect.stringContaining('no such file or folder')] },
    ]);
  });
});
