import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RULE_GENES } from '../../src/genome/gene-table.ts';
import type { Genome, Rule } from '../../src/genome/genome.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { groupsApart, putBack } from '../../src/genome/put-back.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import { anyGenome, plainGenome } from '../fixtures/genomes.ts';

const paths = (groups: { path: string }[][]) => groups.map((group) => group.map(({ path }) => path));

describe('putting genes back', () => {
  test('gives the value of the origin: changed, added and dropped genes alike', () => {
    const origin = plainGenome({ rules: { old: { when: 'start', text: 'Read.' } } });
    const genome = plainGenome({
      sampling: { ...origin.sampling, temperature: 0.3 },
      rules: { fresh: { when: 'always', text: 'Check.' } },
    });
    expect(paths(groupsApart(origin, genome))).toEqual([
      ['sampling.temperature'],
      ['rules.old'],
      ['rules.fresh'],
    ]);
    expect(putBack(genome, origin, ['sampling.temperature']).sampling.temperature).toBe(1);
    expect(Object.keys(putBack(genome, origin, ['rules.old']).rules)).toEqual(['fresh', 'old']);
    expect(putBack(genome, origin, ['rules.fresh']).rules).toEqual({});
    expect(genome.sampling.temperature).toBe(0.3);
  });

  test('all groups together are the origin, and each alone leaves a genome', () => {
    fc.assert(
      fc.property(anyGenome, anyGenome, (origin, genome) => {
        const groups = paths(groupsApart(origin, genome));
        expect(genomeId(putBack(genome, origin, groups.flat()))).toBe(genomeId(origin));
        for (const group of groups) expect(validateGenome(putBack(genome, origin, group))).toEqual([]);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('a dropped rule for which there is no room goes with one that was added', () => {
    const rule: Rule = { when: 'start', text: 'Do.' };
    const rules = (names: string[]): Genome =>
      plainGenome({ rules: Object.fromEntries(names.map((name) => [name, rule])) });
    const many = Array.from({ length: RULE_GENES.maxCount - 1 }, (_, i) => `r${10 + i}`);
    const groups = groupsApart(rules([...many, 'a-old', 'b-old'].slice(1)), rules([...many, 'new']));
    expect(validateGenome(rules([...many, 'new']))).toEqual([]);
    expect(paths(groups)).toEqual([
      ['rules.new', 'rules.a-old'],
      ['rules.r10', 'rules.b-old'],
    ]);
  });
});
