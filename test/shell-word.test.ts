import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from '../src/shell-word.ts';

test('a shell reads the word that was meant, and what is plain stays as it is', () => {
  for (const plain of ['runs/2026-01-31-1', '/a/b_c.d', '../x', 'größe/1'])
    expect(shellWord(plain)).toBe(plain);
  for (const word of ['my runs/1', "it's", '$HOME `id` "x"', 'a;b&c|d', '~/x', 'a\\b', '*', ''])
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' })).toBe(word);
  expect(shellWord('-x')).toBe("'./-x'");
});
