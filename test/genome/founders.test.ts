import { mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadFounders } from '../../src/genome/founders.ts';
import { saveGenome } from '../../src/genome/save.ts';
import { plainGenome } from '../fixtures/genomes.ts';
import { writeFiles } from '../fixtures/tiny-suite.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'founders-'));
  await saveGenome(plainGenome(), join(dir, 'baseline'));
  await saveGenome(plainGenome({ rules: {} }), join(dir, 'bare'));
});
afterEach(() => rm(dir, { recursive: true }));

it('reads every genome in the folder, whatever else lies there', async () => {
  await writeFiles(dir, { 'README.md': 'x', 'notes/today.md': 'x', 'constitution.json': '{}' });
  const { genomes, baseline } = await loadFounders(dir);
  expect([...genomes.keys()]).toEqual(['bare', 'baseline']);
  expect(baseline).toBe('baseline');
});

it('leaves no founder out in silence', async () => {
  await rename(join(dir, 'bare'), join(dir, 'baseline-link-target'));
  await symlink(join(dir, 'baseline-link-target'), join(dir, 'bare'));
  await expect(loadFounders(dir)).rejects.toThrow('bare: a symbolic link');
  await rm(join(dir, 'bare'));
  await rm(join(dir, 'baseline/genome.json'));
  await expect(loadFounders(dir)).rejects.toThrow('baseline: no genome.json');
});
