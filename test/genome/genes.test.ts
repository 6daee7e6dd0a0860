import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffGenomes } from '../../src/genome/diff.ts';
import { geneLabel, SCALAR_GENES } from '../../src/genome/gene-table.ts';
import { genePaths, getGene, isGenePath, removeGene, setGene } from '../../src/genome/genes.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import { anyGenome, plainGenome } from '../fixtures/genomes.ts';

describe('genes', () => {
  it('rebuild a genome from another, one by one', () => {
    fc.assert(
      fc.property(anyGenome, anyGenome, (from, to) => {
        let genome = from;
        for (const path of genePaths(from)) {
          if (getGene(to, path) === undefined) genome = removeGene(genome, path);
        }
        for (const path of genePaths(to)) genome = setGene(genome, path, getGene(to, path)!);
        expect(genome).toEqual(to);
        expect(diffGenomes(genome, to)).toEqual([]);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it('leave the genome that they were set in as it was', () => {
    const before = plainGenome();
    const text = JSON.stringify(before);
    const after = setGene(setGene(before, 'sampling.temperature', 0.4), 'rules.a-rule', {
      when: 'start',
      text: 'x',
    });
    expect(JSON.stringify(before)).toBe(text);
    expect(after.sampling.temperature).toBe(0.4);
    expect(Object.keys(after.rules)).toEqual(['a-rule', 'work-in-steps']);
    expect(genomeId(removeGene(setGene(after, 'sampling.temperature', 1), 'rules.a-rule'))).toBe(
      genomeId(before),
    );
  });

  it('know what can be a path', () => {
    for (const path of ['sampling.temperature', 'rules.x', 'skills.a-b', 'mcp.files', 'tools.run']) {
      expect(isGenePath(path)).toBe(true);
    }
    for (const path of [
      'sampling',
      'sampling.x',
      'rules.A',
      'rules.',
      'rules',
      'skills.a.b',
      'constructor',
      '',
    ]) {
      expect(isGenePath(path)).toBe(false);
    }
    expect(getGene(plainGenome(), 'rules.constructor')).toBeUndefined();
    expect(() => setGene(plainGenome(), 'sampling.temprature', 1)).toThrow(
      'did you mean "sampling.temperature"?',
    );
    expect(() => removeGene(plainGenome(), 'sampling.temperature')).toThrow('changed, not removed');
  });

  it('stand in the schema within the bounds of the table, and not beyond', () => {
    for (const gene of SCALAR_GENES) {
      expect(geneLabel(gene.path)).toBe(gene.about);
      if (gene.type === 'boolean' || gene.type === 'enum') continue;
      for (const inside of [gene.min, gene.max]) {
        expect(validateGenome(setGene(plainGenome(), gene.path, inside))).toEqual([]);
      }
      for (const outside of [gene.min - 1, gene.max + 1, Number.NaN]) {
        expect(validateGenome(setGene(plainGenome(), gene.path, outside))).toMatchObject([
          { path: gene.path },
        ]);
      }
    }
  });
});

describe('diffGenomes', () => {
  it('lists changed, added and removed genes as text', () => {
    const before = plainGenome({ skills: { trees: { description: 'Trees.', body: 'a\nb', files: {} } } });
    let after = setGene(before, 'sampling.temperature', 0.7);
    after = setGene(after, 'tools.run', false);
    after = removeGene(after, 'rules.work-in-steps');
    after = setGene(after, 'rules.new', { when: 'after-fix', text: 'Look for\nthe same.' });
    after = setGene(after, 'skills.trees', { description: 'Trees.', body: 'a\nc', files: {} });
    expect(diffGenomes(before, after)).toEqual([
      { path: 'sampling.temperature', before: '1', after: '0.7' },
      { path: 'tools.run', before: 'true', after: 'false' },
      { path: 'rules.work-in-steps', before: 'always: Work step by step.', after: null },
      {
        path: 'skills.trees',
        before: expect.stringMatching(/^Trees\. \(2 lines, [0-9a-f]{6}\)$/),
        after: expect.stringMatching(/^Trees\. \(2 lines, [0-9a-f]{6}\)$/),
      },
      { path: 'rules.new', before: null, after: 'after-fix: Look for\nthe same.' },
    ]);
  });
});

describe('validateGenome', () => {
  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(validateGenome(value).length).toBeGreaterThan(0);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('refuses too many rules, and files that cannot lie in one folder', () => {
    const rules = Object.fromEntries(
      Array.from({ length: 25 }, (_, i) => [`r${i}`, { when: 'start' as const, text: 'x' }]),
    );
    expect(validateGenome(plainGenome({ rules }))).toEqual([
      { path: 'rules', message: 'has more than 24 members' },
    ]);
    for (const files of [
      { a: '1', 'a/b': '2' },
      { 'x/a': '1', 'x/A': '2' },
      { 'x/a': '1', 'X/b': '2' },
    ] as Record<string, string>[]) {
      const skill = { description: 'x', body: 'x', files };
      expect(validateGenome(plainGenome({ skills: { s: skill } }))).toMatchObject([{ path: 'skills.s' }]);
    }
    const good = { description: 'x', body: 'x', files: { 'x/a': '1', 'x/b': '2', 'y/a': '3' } };
    expect(validateGenome(plainGenome({ skills: { s: good } }))).toEqual([]);
  });

  it('refuses a lone surrogate, which no file can hold', () => {
    const rule = { when: 'start' as const, text: 'a\ud800b' };
    expect(validateGenome(plainGenome({ rules: { r: rule } }))).toMatchObject([{ path: 'rules.r' }]);
  });
});
