import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyFolder, evolve } from './evolve.ts';

let folder: ReturnType<typeof emptyFolder>;
beforeEach(() => {
  folder = emptyFolder();
});
afterEach(() => folder.remove());

/** Whatever the machine has set: no test asks an endpoint that it did not open itself. */
const NO_ENDPOINT = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };

/** One line on stderr that matches, exit code 2, nothing on stdout, and nothing new on the disk. */
async function refused(args: string[], line: RegExp): Promise<void> {
  const before = folder.files();
  const { code, stdout, stderr } = await evolve(args, { cwd: folder.dir, env: NO_ENDPOINT });
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(folder.files()).toEqual(before);
}

describe('settings that are not valid', () => {
  test.each(['0', '1', '-3', '1.5', 'abc', '1000000', '', '1e2', '0x10'])(
    '--population %j',
    async (value) => {
      await refused(['--population', value], /--population must be a whole number from 2 to 1000, not/);
    },
  );

  test.each([
    [['--generations', '0'], /--generations must be a whole number from 1 to 10000, not '0'/],
    [['--workers', '0'], /--workers must be a whole number from 1/],
    [['--concurrency', '-1'], /--concurrency must be a whole number from 1/],
    [['--seed', '1.5'], /--seed must be a whole number from 0/],
    [['--budget-usd', 'much'], /--budget-usd must be dollars, a number above 0 without a sign, not 'much'/],
    [['--budget-trials', '0'], /--budget-trials must be a whole number from 1/],
    [['--max-time', '30'], /--max-time must be a time with its unit, such as 90s, 30m or 2h, not '30'/],
    [['--max-time', '-5m'], /--max-time must be a time/],
    [['--population', '4', '--elites', '4'], /--elites 4 leaves no room for children .* use at most 3/],
    [['--model', 'gpt-9'], /OPENAI_API_KEY is not set; set OPENAI_API_KEY to the endpoint's key/],
    [['--out', ''], /--out must be a text that is not empty/],
  ])('%j', async (args, line) => {
    await refused(args as string[], line as RegExp);
  });
});

describe('what does not exist', () => {
  test.each([
    [['--populaton', '4'], /unknown option '--populaton'.*did you mean --population\?/i],
    [['run', '--generation', '4'], /unknown option '--generation'.*did you mean --generations\?/i],
    [['rnu'], /unknown command 'rnu' \(did you mean "run"\?\)/],
    [['--population'], /argument missing/],
    [['run', 'extra'], /too many arguments/],
    [['show', 'runs/none'], /missing required argument 'CANDIDATE'/],
    [['resume', 'runs/none'], /runs\/none/],
    [['report', 'runs/none'], /runs\/none/],
    [['compare', 'runs/none'], /runs\/none/],
    [['show', 'runs/none', 'champion'], /runs\/none/],
    [['resume', 'runs/none', '--seed', '2'], /unknown option '--seed'/],
    [['--suite', 'nowhere'], /nowhere: no such folder/],
    [['--genomes', 'nowhere'], /nowhere: no such folder/],
    [['--suite', '.'], /the folder is empty/],
    [['--genomes', '.'], /no genome in it/],
    [['--config', 'nowhere.json'], /--config nowhere.json: no such file/],
  ])('%j', async (args, line) => {
    await refused(args as string[], line as RegExp);
  });
});

describe('a configuration file', () => {
  const config = (name: string, text: string) => writeFileSync(path.join(folder.dir, name), text);

  test('with an unknown key', async () => {
    config('run.yaml', 'populaton: 4\n');
    await refused(
      ['--config', 'run.yaml'],
      /run.yaml: unknown setting 'populaton' \(did you mean "population"\?\)/,
    );
    config('run.yaml', 'slrum: {partition: gpu}\n');
    await refused(['--config', 'run.yaml'], /run.yaml: unknown setting 'slrum' \(did you mean "slurm"\?\)/);
  });

  test('with a value out of range, or of another type', async () => {
    config('run.json', '{"population": 1}');
    await refused(
      ['--config', 'run.json'],
      /run.json: population must be a whole number from 2 to 1000, not '1'/,
    );
    config('run.json', '{"population": "16"}');
    await refused(['--config', 'run.json'], /run.json: population must be a whole number/);
  });

  test('that is broken', async () => {
    config('run.json', '{"population": ');
    await refused(['--config', 'run.json'], /--config run.json: /);
    config('run.json', '[1, 2]');
    await refused(['--config', 'run.json'], /not a table of settings/);
  });
});
