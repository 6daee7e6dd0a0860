import { readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkProfiles } from '../../src/llm/profile-file.ts';
import { type Endpoint, offlineAnswer, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve } from './evolve.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SECTION = readFileSync(path.join(ROOT, 'README.md'), 'utf8')
  .split('## With a real model')[1]!
  .split('\n## ')[0]!;
/** The commands of the section's first block, without `npx evolve`. */
const COMMANDS = [...SECTION.split('```')[1]!.matchAll(/^npx evolve (.*)$/gm)].map((found) => found[1]!);

let endpoint: Endpoint;
const folder = emptyFolder();
beforeAll(async () => {
  endpoint = await startEndpoint({
    models: ['MiniMax-M2.7'],
    answer: ({ body }) => offlineAnswer(body),
  });
  symlinkSync(path.join(ROOT, 'genomes'), path.join(folder.dir, 'genomes'));
});
afterAll(async () => {
  await endpoint.close();
  folder.remove();
});

test('the README shows how to look, to measure, to forecast and to run', () => {
  expect(COMMANDS.map((line) => line.split(' ')[0])).toEqual(['doctor', 'trial', '--model', '--model']);
});

// The last one is a whole run of several dollars: here only its forecast.
test.each(COMMANDS.map((line, i) => (i === 3 ? `${line} --dry-run` : line)))('evolve %s', async (line) => {
  const unsafe = line === 'doctor' ? [] : ['--unsafe-no-sandbox'];
  const env = { OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: 'a-key-of-the-readme-1' };
  const { code, stdout } = await evolve([...line.split(' '), ...unsafe], { cwd: folder.dir, env });
  expect(code).toBe(0);
  if (line.startsWith('trial'))
    expect(stdout).toMatch(/house-prices .*\n[\s\S]*tokens in, .* out, \$0\.\d\d/);
  if (line.includes('--dry-run')) expect(stdout).toMatch(/^money +about \$\d+/m);
});

test('its config file says of models what can be said', () => {
  const { models } = parse(SECTION.split('```yaml')[1]!.split('```')[0]!);
  expect(checkProfiles(models, '')).toMatchObject({ 'my-model': { price: { input: 0.2, output: 0.8 } } });
});
