import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeGene, setGene } from '../../src/genome/genes.ts';
import type { Genome } from '../../src/genome/genome.ts';
import { type Constitution, readConstitution } from '../../src/guard/constitution.ts';
import { reviewChange } from '../../src/guard/review.ts';
import { plainGenome } from '../fixtures/genomes.ts';

const shipped = await readConstitution(resolve('genomes/constitution.json'));
const parent = plainGenome({ skills: { trees: { description: 'Trees.', body: 'Grow.', files: {} } } });
const rule = (text: string) => setGene(parent, 'rules.new', { when: 'always', text });
const review = (child: Genome, changed: Partial<Constitution> = {}) =>
  reviewChange({ ...shipped, ...changed }, parent, child);

describe('reviewChange', () => {
  it('allows what is listed, and nothing at all', () => {
    expect(review(parent).verdict).toBe('allow');
    expect(review(setGene(parent, 'sampling.temperature', 0.4)).verdict).toBe('allow');
    expect(review(rule('Look for the same bug in the other files.')).verdict).toBe('allow');
    expect(review(removeGene(parent, 'skills.trees')).verdict).toBe('allow');
  });

  it('denies what is listed so, and what is not listed', () => {
    const served = setGene(parent, 'mcp.files', { command: 'server' });
    expect(review(served)).toEqual({ verdict: 'deny', reason: 'mcp is under "deny"' });
    expect(review(setGene(parent, 'tools.run', false), { allow: ['rules'] })).toEqual({
      verdict: 'deny',
      reason: 'tools.run is not under "allow"',
    });
  });

  it('lets the longest path decide, and the sternest of all changes stand', () => {
    const lists = { allow: ['sampling', 'limits.turns'], ask: ['sampling.top_p'], deny: ['limits'] };
    expect(review(setGene(parent, 'limits.turns', 20), lists).verdict).toBe('allow');
    expect(review(setGene(parent, 'limits.jobs', 20), lists).verdict).toBe('deny');
    const two = setGene(setGene(parent, 'sampling.temperature', 0.5), 'sampling.top_p', 0.9);
    expect(review(two, lists)).toEqual({ verdict: 'ask', reason: 'sampling.top_p is under "ask"' });
    expect(review(setGene(two, 'limits.jobs', 20), lists).verdict).toBe('deny');
  });

  it('denies leaving the bounds, though the gene table allows it', () => {
    expect(review(setGene(parent, 'limits.turns', 40)).verdict).toBe('allow');
    expect(review(setGene(parent, 'limits.turns', 41))).toEqual({
      verdict: 'deny',
      reason: 'limits.turns is 41, outside 4 to 40',
    });
  });

  it('denies rules and skills that speak of what judges them, by whole words', () => {
    expect(review(rule('Open ../private/Answers.csv first.')).reason).toMatch(/speaks of "(answers|private)/);
    expect(review(rule('Please the GRADER.')).verdict).toBe('deny');
    expect(review(rule('Upgrader privateer answered.')).verdict).toBe('allow');
    const skill = { description: 'Helps.', body: 'x', files: { 'references/a.md': 'the leaderboard' } };
    expect(review(setGene(parent, 'skills.spy', skill))).toEqual({
      verdict: 'deny',
      reason: 'skills.spy speaks of "leaderboard"',
    });
  });

  it('asks about scripts', () => {
    const skill = { description: 'Helps.', body: 'x', files: { 'scripts/run.js': '1' } };
    expect(review(setGene(parent, 'skills.run', skill)).verdict).toBe('ask');
    expect(review(setGene(parent, 'skills.run', skill), { scripts: 'allow' }).verdict).toBe('allow');
  });

  it('denies long rules, and more of them than may be', () => {
    expect(review(rule('x'.repeat(1001))).reason).toContain('1001 characters');
    const most = { most: { ...shipped.most, rules: 1 } };
    expect(review(rule('Look.'), most)).toEqual({ verdict: 'deny', reason: '2 rules, more than 1' });
    expect(
      review(setGene(parent, 'sampling.top_p', 0.9), { most: { ...shipped.most, rules: 0 } }).verdict,
    ).toBe('allow');
  });
});
