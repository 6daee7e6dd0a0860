import { describe, expect, it } from 'vitest';
import { scalarGene } from '../../src/genome/gene-table.ts';
import { PROFILES, profileOf } from '../../src/llm/profiles.ts';
import { frozenGenes, usedSampling } from '../../src/llm/wire.ts';

describe('the table', () => {
  it.each(PROFILES.map((profile) => [profile.name, profile] as const))('%s is sane', (_, profile) => {
    for (const [name, range] of Object.entries(profile.sampling)) {
      const gene = scalarGene(`sampling.${name}`);
      if (gene?.type !== 'number' && gene?.type !== 'integer') throw new Error(`${name} is no gene`);
      if (range === null) continue;
      expect(range.min).toBeLessThan(range.max);
      // Some values of the gene can be sent as they are.
      expect(Math.max(range.min, gene.min)).toBeLessThan(Math.min(range.max, gene.max));
      if (name === 'max_tokens') expect([range.min, Number.isSafeInteger(range.max)]).toEqual([1, true]);
    }
    expect(profile.sampling.max_tokens).not.toBeNull();
    expect(profile.pace.tokensPerSecond).toBeGreaterThan(0);
    expect(profile.context ?? 1000).toBeGreaterThan(999);
    if (profile.price === null) return expect(profile.name).toBe('*');
    const { input, cachedInput, output, asOf } = profile.price;
    expect(new Date(asOf).toISOString().slice(0, 10)).toBe(asOf);
    if (profile.name === 'offline') return expect([input, cachedInput, output]).toEqual([0, 0, 0]);
    expect(cachedInput).toBeGreaterThan(0);
    expect(input).toBeGreaterThan(cachedInput);
    expect(output).toBeGreaterThan(input);
  });

  it('names each model once', () => {
    expect(new Set(PROFILES.map(({ name }) => name)).size).toBe(PROFILES.length);
  });
});

describe('profileOf', () => {
  it.each([
    ['MiniMax-M2.7', 'MiniMax-M2.7'],
    ['MiniMax-M2.7-highspeed', 'MiniMax-M2.7-highspeed'],
    ['gpt-4.1-2025-04-14', 'gpt-4.1'],
    ['gpt-4.1-mini-2025-04-14', 'gpt-4.1-mini'],
    ['gpt-6-sol-latest', 'gpt-6-sol'],
    ['gpt-4.1-enormous', '*'],
    ['gpt-4.12', '*'],
    ['MiniMax-M2.7-turbo', '*'],
    ['constructor', '*'],
    ['', '*'],
  ])('%s is %s', (model, name) => {
    expect(profileOf(model).name).toBe(name);
  });

  it('puts overrides before the table, member by member', () => {
    const price = { input: 1, cachedInput: 0.5, output: 2, asOf: '2026-11-20' };
    const overrides = {
      'gpt-4.1': { price },
      mine: { context: 4096, sampling: { ...profileOf('*').sampling, presence_penalty: null } },
      '*': { seed: false, price },
    };
    expect(profileOf('gpt-4.1-2025-04-14', overrides)).toEqual({ ...profileOf('gpt-4.1'), price });
    const mine = profileOf('mine', overrides);
    expect(mine).toMatchObject({ name: 'mine', context: 4096, price: null, seed: true });
    expect(frozenGenes(mine)).toEqual(['sampling.presence_penalty']);
    expect(profileOf('MiniMax-M2.7', overrides)).toEqual(profileOf('MiniMax-M2.7'));
    expect(profileOf('another', overrides)).toMatchObject({ name: '*', seed: false, price });
  });

  it('leaves the table as it is', () => {
    profileOf('gpt-4.1').sampling.temperature = null;
    expect(profileOf('gpt-4.1').sampling.temperature).toEqual({ min: 0, max: 2 });
  });
});

describe('sampling', () => {
  const genes = { temperature: 0, top_p: 0.9, frequency_penalty: 1, presence_penalty: 0, max_tokens: 512 };

  it('is narrowed, and what cannot be said is left out and frozen', () => {
    expect(usedSampling(genes, profileOf('MiniMax-M2.7'))).toEqual({
      temperature: 0.01,
      top_p: 0.9,
      max_tokens: 512,
    });
    expect(frozenGenes(profileOf('MiniMax-M2.7'))).toEqual([
      'sampling.frequency_penalty',
      'sampling.presence_penalty',
    ]);
    expect(usedSampling({ ...genes, temperature: 1.7 }, profileOf('MiniMax-M2.7')).temperature).toBe(1);
    expect(usedSampling(genes, profileOf('gpt-6.1-sol'))).toEqual({ max_tokens: 512 });
  });

  it('is the genome itself for the offline model', () => {
    expect(usedSampling(genes, profileOf('offline'))).toEqual(genes);
    expect(frozenGenes(profileOf('offline'))).toEqual([]);
  });
});
