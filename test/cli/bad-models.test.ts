import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { quietPort } from '../llm/quiet-port.ts';
import { type Endpoint, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve } from './evolve.ts';

const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '4', '--generations', '1'],
  ...['--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5'],
];
const KEY = 'sk-0123456789abcdefghij';
/** A line that people can read at a glance, what to do included. */
const LONGEST = 400;

let folder: ReturnType<typeof emptyFolder>;
let endpoint: Endpoint;
let web: Endpoint;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir);
  endpoint = await startEndpoint({ models: ['small', 'MiniMax-M2.7'], key: KEY });
  web = await startEndpoint({
    list: () => ({ status: 200, text: '<!doctype html><title>Sign in</title>', type: 'text/html' }),
  });
});
afterAll(async () => {
  for (const one of [endpoint, web]) await one.close();
  folder.remove();
});

type Env = Record<string, string | undefined>;
const real = (): Env => ({ OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: KEY });

/** One line on stderr that matches, this exit code, nothing on stdout, nothing new on the disk. */
async function refused(args: string[], env: Env, line: RegExp, exit = 2): Promise<void> {
  const before = folder.files();
  const { code, stdout, stderr } = await evolve([...SMALL, ...args], { cwd: folder.dir, env });
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr.length).toBeLessThan(LONGEST);
  expect(stderr).not.toContain(KEY);
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  expect(folder.files()).toEqual(before);
}

describe('keys', () => {
  test('none, an empty one, a placeholder', async () => {
    const model = ['--model', 'MiniMax-M2.7'];
    await refused(model, { ...real(), OPENAI_API_KEY: undefined }, /OPENAI_API_KEY is not set; set OPENAI/);
    await refused(model, { ...real(), OPENAI_API_KEY: ' ' }, /OPENAI_API_KEY is empty; /);
    await refused(model, { ...real(), OPENAI_API_KEY: 'your-api-key' }, /is a placeholder, not a key; /);
    await refused(model, { ...real(), OPENAI_API_KEY: `"${KEY}"` }, /stands in quotes/);
    expect(endpoint.hits()).toBe(0);
  });

  test("the mutator's own variable is the one that is named", async () => {
    const args = ['--mutator-model', 'small', '--mutator-base-url', endpoint.url];
    const own = ['--mutator-key-variable', 'MY_LOGIN', '--allow-unpriced'];
    await refused([...args, ...own], {}, /MY_LOGIN is not set; set MY_LOGIN to/);
  });

  test('a wrong key', async () => {
    const env = { ...real(), OPENAI_API_KEY: 'sk-another-key-0123456789' };
    const line = /the endpoint http:\S+ refuses the key in OPENAI_API_KEY \(401\); check that/;
    await refused(['--model', 'MiniMax-M2.7'], env, line);
  });
});

describe('addresses', () => {
  test.each([
    [
      'a path too many',
      (url: string) => `${url}/chat/completions`,
      /path too many: \/chat\/completions; give http:/,
    ],
    ['the version twice', (url: string) => `${url}/v1`, /path too many: \/v1; give http:/],
    ['no scheme', (url: string) => url.slice(7), /OPENAI_BASE_URL has no scheme: .*; give http:\/\/127/],
    ['another scheme', (url: string) => `ftp${url.slice(4)}`, /begins with ftp:\/\/, not with http/],
    [
      'a password',
      (url: string) => `http://me:${KEY}@${url.slice(7)}`,
      /a user name or a password; take out/,
    ],
    [
      'no version',
      (url: string) => url.slice(0, -3),
      /has no list of models \(404\); set OPENAI_BASE_URL to http\S+\/v1$/m,
    ],
  ])('%s', async (_, change, line) => {
    await refused(['--model', 'MiniMax-M2.7'], { ...real(), OPENAI_BASE_URL: change(endpoint.url) }, line);
  });

  test("the mutator's address is called by its flag", async () => {
    const args = ['--mutator-model', 'MiniMax-M2.7', '--mutator-base-url', '127.0.0.1:80/v1'];
    await refused(args, real(), /--mutator-base-url has no scheme: /);
  });

  test('a web page', async () => {
    const line = /is no OpenAI-compatible endpoint: it answers with a web page; give the base URL/;
    await refused(['--model', 'MiniMax-M2.7'], { ...real(), OPENAI_BASE_URL: web.url }, line);
  });

  test('nobody listens: exit code 4', async () => {
    const port = await quietPort();
    const env = { ...real(), OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` };
    const line =
      /cannot be reached: the connection is refused; check OPENAI_BASE_URL, and that the server runs/;
    await refused(['--model', 'MiniMax-M2.7'], env, line, 4);
    await refused(['--model', 'MiniMax-M2.7', '--json', '--quiet'], env, line, 4);
  });
});

describe('models and prices', () => {
  test('a model that the endpoint does not have', async () => {
    const line =
      /has no model "MiniMax-M2\.8" \(did you mean "MiniMax-M2\.7"\?\); it has: small, MiniMax-M2\.7$/m;
    await refused(['--model', 'MiniMax-M2.8', '--allow-unpriced'], real(), line);
    const mutator = ['--model', 'MiniMax-M2.7', '--mutator-model', 'smal', '--allow-unpriced'];
    await refused(mutator, real(), /has no model "smal" \(did you mean "small"\?\)/);
  });

  test('an unknown price, alone and with a budget in dollars', async () => {
    await refused(['--model', 'small'], real(), /no price is known for the model small; .*--allow-unpriced/);
    const budget = ['--model', 'small', '--allow-unpriced', '--budget-usd', '1'];
    await refused(budget, real(), /--budget-usd cannot be kept: no price is known for the model small; /);
  });

  test.each([
    ['a list', 'models: [small]', /run\.yaml: models must be an object, and is \["small"\]; for example/],
    [
      'a negative price',
      'models: {small: {price: {input: -1, output: 1}}}',
      /models\.small\.price\.input is -1, outside 0 to 1000000; /,
    ],
    ['half a price', 'models: {small: {price: {input: 1}}}', /models\.small\.price\.output is missing; /],
    [
      'a price in words',
      'models: {small: {price: {input: cheap, output: 1}}}',
      /price\.input must be a number, and is "cheap"/,
    ],
    ['an unknown word', 'models: {small: {prize: {input: 1, output: 1}}}', /models\.small.*prize/],
    [
      'a range the wrong way round',
      'models: {small: {sampling: {temperature: {min: 1, max: 0}}}}',
      /models\.small\.sampling\.temperature has its min 1 above its max 0; /,
    ],
  ])('a config file with %s', async (_, text, line) => {
    writeFileSync(path.join(folder.dir, 'run.yaml'), `${text}\n`);
    await refused(['--model', 'small', '--config', 'run.yaml'], real(), line);
  });
});

describe('budgets and calls', () => {
  test.each(['0', '-1', '5$', '$5', 'abc', '1e400', '1e2', '', 'Infinity'])(
    '--budget-usd %j',
    async (value) => {
      const line =
        /--budget-usd must be dollars, a number above 0 without a sign, not '.*'; for example: --budget-usd 2\.50/;
      await refused(['--model', 'MiniMax-M2.7', '--budget-usd', value], real(), line);
    },
  );

  test('a budget that does not do for one generation says what it takes', async () => {
    const dollars = ['--model', 'MiniMax-M2.7', '--budget-usd', '0.0001'];
    await refused(
      dollars,
      real(),
      /--budget-usd 0\.0001 does not do for one generation, which takes about \$[\d.]+; raise/,
    );
    const tokens = ['--model', 'MiniMax-M2.7', '--budget-tokens', '10'];
    await refused(
      tokens,
      real(),
      /--budget-tokens 10 does not do for one generation, which takes about \S+ tokens; raise/,
    );
  });

  test.each([
    [['--attempts', '0'], /--attempts must be a whole number from 1 to 100, not '0'/],
    [['--calls', '0'], /--calls must be a whole number from 1 to 4096, not '0'/],
    [['--budget-tokens', '1.5'], /--budget-tokens must be a whole number from 1/],
    [['--call-timeout', '5'], /--call-timeout must be a time with its unit/],
  ])('%j', async (args, line) => {
    await refused(['--model', 'MiniMax-M2.7', ...args], real(), line);
  });
});

describe('cassettes', () => {
  const model = ['--model', 'MiniMax-M2.7'];

  test('to record and to replay at once', async () => {
    const args = [...model, '--record', 'a.jsonl', '--replay', 'b.jsonl'];
    await refused(args, real(), /--record and --replay exclude each other; /);
  });

  test('a file that is missing, or that cannot be made', async () => {
    await refused(
      [...model, '--replay', 'none.jsonl'],
      {},
      /there is no cassette none\.jsonl; give the file/,
    );
    await refused(
      [...model, '--record', 'no/tape.jsonl'],
      real(),
      /the cassette no\/tape\.jsonl cannot be written: its folder is not there; /,
    );
  });

  test('a file of another kind is neither replayed nor written to', async () => {
    writeFileSync(path.join(folder.dir, 'notes.txt'), 'Buy milk.\n');
    await refused([...model, '--record', 'notes.txt'], real(), /notes\.txt is no cassette; /);
    await refused([...model, '--replay', 'notes.txt'], {}, /notes\.txt is no cassette; /);
    await refused(
      [...model, '--record', 'suite'],
      real(),
      /the cassette suite cannot be read: it is not a plain file/,
    );
  });
});

describe('no sandbox', () => {
  /** A PATH on which all is as here, but for bubblewrap. */
  function withoutBwrap(): Env {
    const bin = path.join(folder.dir, 'bin');
    mkdirSync(bin, { recursive: true });
    for (const name of ['setpriv', 'sh', 'node']) {
      const found = ['/usr/bin', '/bin'].map((dir) => path.join(dir, name));
      const file =
        name === 'node'
          ? process.execPath
          : found.find((one) => readdirSync(path.dirname(one)).includes(name));
      if (file && !readdirSync(bin).includes(name)) symlinkSync(file, path.join(bin, name));
    }
    return { ...real(), PATH: bin };
  }

  test('a real model is refused', async () => {
    const line =
      /bubblewrap \(bwrap\) is not installed, and what a real model writes must not run without a sandbox; /;
    await refused(['--model', 'MiniMax-M2.7'], withoutBwrap(), line);
  });

  test('unless the user insists, who is warned', async () => {
    const args = [
      ...SMALL,
      '--model',
      'MiniMax-M2.7',
      '--unsafe-no-sandbox',
      '--budget-trials',
      '20',
      '--out',
      'unsafe',
    ];
    const { stderr } = await evolve(args, { cwd: folder.dir, env: withoutBwrap() });
    expect(stderr).toMatch(
      /^evolve: warning: bubblewrap \(bwrap\) is not installed, so jobs run without a sandbox$/m,
    );
    expect(stderr).toMatch(/budget/);
  });
});
