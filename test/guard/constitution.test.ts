import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { diffGenomes } from '../../src/genome/diff.ts';
import { loadFounders } from '../../src/genome/founders.ts';
import { loadConstitution, readConstitution } from '../../src/guard/constitution.ts';
import { reviewChange } from '../../src/guard/review.ts';

const shipped = resolve('genomes/constitution.json');
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'constitution-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('loadConstitution', () => {
  it('reads the one beside the founders, else the one that ships', async () => {
    expect(await loadConstitution(dir)).toEqual(await readConstitution(shipped));
    const own = { ...(await readConstitution(shipped)), scripts: 'deny' as const };
    await writeFile(join(dir, 'constitution.json'), JSON.stringify(own));
    expect(await loadConstitution(dir)).toEqual(own);
  });

  it.each<[string, (own: Record<string, unknown>) => unknown, string]>([
    ['broken JSON', () => '{', 'JSON'],
    ['a missing member', ({ deny: _, ...rest }) => rest, 'deny is missing'],
    ['an unknown member', (own) => ({ ...own, forbidenWords: [] }), '(did you mean "forbiddenWords"?)'],
    ['an unknown answer', (own) => ({ ...own, scripts: 'maybe' }), 'scripts is "maybe"'],
    [
      'bounds of no gene',
      (own) => ({ ...own, bounds: { 'limits.x': { min: 1, max: 2 } } }),
      '"limits.x" is no gene',
    ],
    [
      'bounds wider than the table',
      (own) => ({ ...own, bounds: { 'limits.turns': { min: 1, max: 20 } } }),
      '4 to 60',
    ],
    [
      'bounds the wrong way',
      (own) => ({ ...own, bounds: { 'limits.turns': { min: 9, max: 8 } } }),
      'lower bound',
    ],
  ])('refuses %s', async (_, change, message) => {
    const changed = change({ ...(await readConstitution(shipped)) });
    const file = join(dir, 'constitution.json');
    await writeFile(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
    const error = await loadConstitution(dir).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain(message);
    expect((error as UserError).message).toContain(file);
  });

  it('refuses a symbolic link', async () => {
    await symlink(shipped, join(dir, 'constitution.json'));
    await expect(loadConstitution(dir)).rejects.toThrow('not a plain file');
  });
});

describe('the founders', () => {
  it('are at least four, differ in style, and could breed with each other', async () => {
    const { genomes } = await loadFounders(resolve('genomes'));
    const constitution = await readConstitution(shipped);
    expect([...genomes.keys()]).toEqual(
      expect.arrayContaining(['baseline', 'cautious', 'explorer', 'minimalist']),
    );
    for (const [name, genome] of genomes) {
      for (const [other, second] of genomes) {
        if (name === other) continue;
        expect(diffGenomes(genome, second).length).toBeGreaterThan(3);
        expect(reviewChange(constitution, genome, second)).toMatchObject({ verdict: 'allow' });
      }
    }
  });
});
