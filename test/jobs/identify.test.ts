import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identify } from '../../src/jobs/identify.ts';
import { folder, job } from './fixture.ts';

const files = { 'main.mjs': 'one', 'lib/a.mjs': 'two' };

test('the same files in another folder are the same job', () => {
  const [a, b] = [job('', { folder: folder(files) }), job('', { folder: folder(files) })];
  expect(a.data.dir).not.toBe(b.data.dir);
  expect(identify(a)).toBe(identify(b));
  expect(identify(a)).toMatch(/^[0-9a-f]{24}$/);
});

test('outputs, dotfiles, data and links are no part of it', () => {
  const spec = job('', { folder: folder(files) });
  const before = identify(spec);
  const more = { ...files, 'submission.csv': 'x', '.notes': 'x', '.git/config': 'x', 'data/train.csv': 'x' };
  const other = { ...spec, folder: folder(more) };
  symlinkSync('/etc/hostname', join(other.folder, 'link'));
  expect(identify(other)).toBe(before);
});

test('content, path, mode, data, command, outputs, limits and GPUs are', () => {
  const spec = job('', { folder: folder(files) });
  const script = folder(files);
  chmodSync(join(script, 'main.mjs'), 0o755);
  const others = [
    { ...spec, folder: folder({ ...files, 'lib/a.mjs': 'three' }) },
    { ...spec, folder: folder({ 'main.mjs': 'one', 'lib/b.mjs': 'two' }) },
    { ...spec, folder: folder({ ...files, 'lib/data/x': '' }) },
    { ...spec, folder: script },
    { ...spec, data: { ...spec.data, hash: 'data-2' } },
    { ...spec, command: ['node', 'main.mjs', '--fast'] },
    { ...spec, outputs: [] },
    { ...spec, limits: { ...spec.limits, memoryMb: 257 } },
    { ...spec, gpus: 1 },
  ];
  expect(new Set([spec, ...others].map(identify)).size).toBe(others.length + 1);
});

test('two files cannot pass for one', () => {
  const [a, b] = [
    job('', { folder: folder({ a: 'x', b: 'y' }) }),
    job('', { folder: folder({ a: 'xb', '.b': '' }) }),
  ];
  writeFileSync(join(b.folder, 'by'), '');
  expect(identify(a)).not.toBe(identify(b));
});
