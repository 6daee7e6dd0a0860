import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { genomeId } from '../../src/genome/hash.ts';
import { loadGenome } from '../../src/genome/load.ts';
import { saveGenome } from '../../src/genome/save.ts';
import { validateGenome } from '../../src/genome/schema.ts';
import { anyGenome, plainGenome } from '../fixtures/genomes.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'genome-'));
});
afterAll(() => rm(dir, { recursive: true }));

describe('saveGenome and loadGenome', () => {
  it('are inverses, and keep the id', async () => {
    await fc.assert(
      fc.asyncProperty(anyGenome, async (genome) => {
        expect(validateGenome(genome)).toEqual([]);
        const folder = join(dir, 'any');
        await saveGenome(genome, folder);
        const loaded = await loadGenome(folder);
        expect(loaded).toEqual(genome);
        expect(genomeId(loaded)).toBe(genomeId(genome));
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('give rules in the order of their ids, whatever the order they were made in', async () => {
    const genome = plainGenome({
      rules: { b: { when: 'start', text: 'B' }, a: { when: 'start', text: 'A' } },
      mcp: { files: { command: 'server', args: ['--quiet'], env: { KEY: `\${SERVER_KEY}` } } },
    });
    await saveGenome(genome, join(dir, 'order'));
    const loaded = await loadGenome(join(dir, 'order'));
    expect(Object.keys(loaded.rules)).toEqual(['a', 'b']);
    expect(loaded).toEqual(genome);
    expect(genomeId(loaded)).toBe(genomeId(genome));
  });

  it('replaces a genome that stood there, and nothing else', async () => {
    const folder = join(dir, 'replaced');
    await saveGenome(plainGenome({ rules: { old: { when: 'start', text: 'Old.' } } }), folder);
    await saveGenome(plainGenome(), folder);
    expect(await readdir(join(folder, 'rules'))).toEqual(['work-in-steps.md']);
    await rm(join(folder, 'genome.json'));
    await writeFile(join(folder, 'mine.txt'), 'mine');
    await expect(saveGenome(plainGenome(), folder)).rejects.toThrow('holds something else');
    expect(await readdir(folder)).toContain('mine.txt');
  });

  it('refuses to write what could not be read, or would leave the folder', async () => {
    const skill = { description: 'x', body: '', files: { '../../../out.md': 'x' } };
    await expect(saveGenome(plainGenome({ skills: { bad: skill } }), join(dir, 'out'))).rejects.toThrow(
      'skills.bad',
    );
    await expect(
      saveGenome(plainGenome({ rules: { '../x': { when: 'start', text: 'x' } } }), dir),
    ).rejects.toThrow('name');
    expect(await readdir(dir)).not.toContain('out');
  });
});

describe('genomeId', () => {
  it('is the same in every release', () => {
    expect(genomeId(plainGenome())).toMatchInlineSnapshot(`"6101d6c01ba9"`);
  });
});
