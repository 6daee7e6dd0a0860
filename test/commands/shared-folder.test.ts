import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSharedFolder, sweep } from '../../src/commands/shared-folder.ts';
import { folder } from '../jobs/fixture.ts';

test('folders of measurements that were killed are found, cleared and removed; those of living ones are left alone', async () => {
  const root = folder();
  const living = openSharedFolder(root, 'living');
  for (const name of ['killed', 'stuck']) {
    const holder = JSON.parse(readFileSync(join(living.dir, 'lock'), 'utf8'));
    mkdirSync(join(root, `slurm-${name}`));
    writeFileSync(
      join(root, `slurm-${name}`, 'lock'),
      JSON.stringify({ ...holder, owner: holder.owner.replace(/\d+$/, '1') }),
    );
  }
  mkdirSync(join(root, 'slurm-being-made'));
  const own = openSharedFolder(root, 'own');
  expect(own.dead.sort()).toEqual([join(root, 'slurm-killed'), join(root, 'slurm-stuck')]);
  await sweep(
    own.dead,
    async (dir) => !dir.endsWith('stuck'),
    () => {},
  );
  own.close();
  expect(readdirSync(root).sort()).toEqual(['slurm-being-made', 'slurm-living', 'slurm-stuck']);
  living.close();
  expect(existsSync(living.dir)).toBe(false);
});
