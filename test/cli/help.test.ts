import { expect, test } from 'vitest';
import { evolve } from './evolve.ts';

test('--help shows examples first, then every command', async () => {
  const { code, stdout, stderr } = await evolve(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Examples:\n {2}evolve --population 16 --generations 50/);
  for (const name of ['run', 'resume', 'report', 'compare', 'show', 'trial', 'validate', 'doctor']) {
    expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
  }
});

test('run --help lists the settings', async () => {
  const { code, stdout } = await evolve(['run', '--help']);
  expect(code).toBe(0);
  for (const flag of ['--population <N>', '--max-time <TIME>', '--dry-run', '--json', '--no-job-cache']) {
    expect(stdout).toContain(flag);
  }
});

test('--version prints the version alone', async () => {
  const { code, stdout } = await evolve(['--version']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
