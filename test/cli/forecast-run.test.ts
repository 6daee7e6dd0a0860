import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../src/commands/plan.ts';
import type { Totals } from '../../src/llm/ledger-book.ts';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Endpoint, offlineAnswer, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve } from './evolve.ts';

/** It neither thinks nor costs much; the offline model stands in for it. */
const MODEL = 'gpt-4.1-mini';
const SMALL = [
  ...['--suite', 'suite', '--genomes', 'genomes', '--population', '6', '--generations', '2'],
  ...['--finalists', '2', '--final-repeats', '3', '--sealed-repeats', '5'],
];
/** How far a forecast may be off, either way. */
const FACTOR = 3;

let folder: ReturnType<typeof emptyFolder>;
let endpoint: Endpoint;
beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir);
  endpoint = await startEndpoint({
    models: [MODEL, 'MiniMax-M2.7', 'small'],
    answer({ body, raw }) {
      const completion = offlineAnswer(body);
      // As endpoints count: all that was sent, tools included, four bytes to a token.
      const prompt_tokens = Math.ceil(raw.length / 4);
      return { ...completion, usage: { ...completion.usage, prompt_tokens } };
    },
  });
});
afterAll(async () => {
  await endpoint.close();
  folder.remove();
});

const run = (args: string[], key?: string) =>
  evolve([...SMALL, ...args], {
    cwd: folder.dir,
    env: { OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: key },
  });

test('a dry run needs no key, asks nobody and writes nothing; it tells calls, tokens, dollars, time and what is frozen', async () => {
  const before = folder.files();
  const { code, stdout, stderr } = await run(['--model', 'MiniMax-M2.7', '--dry-run']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^agent +MiniMax-M2\.7 at http:\/\/127\.0\.0\.1:\d+\/v1$/m);
  expect(stdout).toMatch(/^frozen +sampling\.frequency_penalty, sampling\.presence_penalty$/m);
  expect(stdout).toMatch(/^calls +about [\d,]+: [\d,]+ tokens in, [\d,]+ out$/m);
  expect(stdout).toMatch(/^money +about \$[\d.]+; the first generation about \$[\d.]+$/m);
  expect(stdout).toMatch(/^time +about \d.*: calls of models/m);
  expect(endpoint.hits()).toBe(0);
  expect(folder.files()).toEqual(before);
});

test('a dry run with a model whose price is not known', async () => {
  const refused = await run(['--model', 'small', '--dry-run']);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/^evolve: no price is known for the model small; /);
  const allowed = await run(['--model', 'small', '--dry-run', '--allow-unpriced']);
  expect(allowed.code).toBe(0);
  expect(allowed.stdout).toMatch(/^money +no price known$/m);
});

test('what a run then uses is near its forecast', async () => {
  const planned = JSON.parse((await run(['--model', MODEL, '--dry-run', '--json'])).stdout) as Plan;
  const { code, stdout } = await run(['--model', MODEL, '--json', '--out', 'run'], 'sk-0123456789abcdefghij');
  expect(code).toBe(0);
  const { models, trials } = JSON.parse(stdout);
  const used = models.spending as Totals;
  const pairs = {
    trials: [planned.trials.expected, trials.run],
    calls: [planned.calls.all.calls, used.calls],
    tokensIn: [planned.calls.all.tokensIn, used.tokensIn],
    tokensOut: [planned.calls.all.tokensOut, used.tokensOut],
    usd: [planned.calls.all.usd, used.usd],
  } as Record<string, [number, number]>;
  for (const [what, [forecast, found]] of Object.entries(pairs)) {
    expect(forecast / found, `${what}: ${forecast} forecast, ${found} used`).toBeGreaterThan(1 / FACTOR);
    expect(forecast / found, `${what}: ${forecast} forecast, ${found} used`).toBeLessThan(FACTOR);
  }
});
