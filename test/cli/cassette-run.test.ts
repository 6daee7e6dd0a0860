import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { smallWorld } from '../fixtures/small-world.ts';
import { type Answer, type Asked, type Endpoint, offlineAnswer, startEndpoint } from './endpoint.ts';
import { emptyFolder, evolve } from './evolve.ts';
import { decisionsOf, differences, triedIn } from './journal.ts';

const SMALL = [
  ...[
    '--suite',
    'suite',
    '--genomes',
    'genomes',
    '--population',
    '4',
    '--generations',
    '2',
    '--config',
    'run.yaml',
  ],
  ...['--finalists', '1', '--final-repeats', '3', '--sealed-repeats', '5', '--first-tasks', '2'],
];
/** Nothing of it leads anywhere: neither a key nor an endpoint. */
const ALONE = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };

let folder: ReturnType<typeof emptyFolder>;
const at = (name: string) => path.join(folder.dir, name);
const run = (args: string[], env: Record<string, string | undefined>) =>
  evolve([...SMALL, ...args], { cwd: folder.dir, env });

beforeAll(async () => {
  folder = emptyFolder();
  await smallWorld(folder.dir, { only: ['s1', 's2', 'v1', 'f1'], turns: 12, jobs: 4 });
  writeFileSync(at('run.yaml'), 'model: small\nmodels: {small: {price: {input: 1, output: 4}}}\n');
});
afterAll(() => folder.remove());

/** Runs against an endpoint that answers like this, and closes it. */
async function recorded(
  answer: (asked: Asked, n: number) => Answer,
  act: (env: Record<string, string>) => ReturnType<typeof evolve>,
) {
  let n = 0;
  const endpoint: Endpoint = await startEndpoint({ answer: (asked) => answer(asked, n++) });
  const ran = await act({ OPENAI_BASE_URL: endpoint.url, OPENAI_API_KEY: 'sk-0123456789abcdefghij' });
  await endpoint.close();
  return { ...ran, asked: endpoint.asked.length };
}

/** A model that draws anew for every call, as real ones do: two samples of one prompt are two. */
const drawing = ({ body }: Asked, n: number) => offlineAnswer({ ...body, seed: n });

describe('a run of a model that never says the same twice', () => {
  beforeAll(async () => {
    const first = await recorded(drawing, (env) =>
      run(['--record', 'tape', '--out', 'first', '--json'], env),
    );
    expect(first.stderr).not.toContain('cassette');
    expect(first).toMatchObject({ code: 0 });
    expect(JSON.parse(first.stdout).cost.usd).toBeGreaterThan(0);
  });

  test('is the same run again from its cassette, with no endpoint and no key, for nothing', async () => {
    const again = await run(['--replay', 'tape', '--out', 'again', '--json', '--workers', '1'], ALONE);
    expect(again.stderr).toMatch(/^evolve: replies come from the cassette tape; no model is asked$/m);
    expect(again.code).toBe(0);
    expect(differences(decisionsOf(at('first')), decisionsOf(at('again')))).toEqual([]);
    expect(JSON.parse(again.stdout)).toMatchObject({ models: { spending: null }, cost: { usd: 0 } });
    expect(existsSync(at('again/ledger.jsonl'))).toBe(false);
  });

  test('stops with exit code 4 at the first request that the cassette does not hold', async () => {
    const other = await run(['--replay', 'tape', '--out', 'other', '--seed', '2', '--quiet'], ALONE);
    const last = other.stderr.trimEnd().split('\n');
    expect(last).toHaveLength(2);
    expect(last[0]).toMatch(
      /^evolve: .*\(cassette tape does not hold this request \(small, \d+ messages, .*\)/,
    );
    expect(last[1]).toMatch(/^evolve: replay with the options, files and version/i);
    expect(other.code).toBe(4);
    expect(triedIn(at('other'))).toEqual([]);
  });

  test('a cassette that is recorded on keeps what it had', async () => {
    const before = readFileSync(at('tape'), 'utf8');
    const more = await recorded(drawing, (env) =>
      run(['--record', 'tape', '--out', 'more', '--seed', '2'], env),
    );
    expect(more.code).toBe(0);
    expect(readFileSync(at('tape'), 'utf8').startsWith(before)).toBe(true);
    const again = await run(['--replay', 'tape', '--out', 'more-again', '--seed', '2'], ALONE);
    expect(again.code).toBe(0);
    expect(differences(decisionsOf(at('more')), decisionsOf(at('more-again')))).toEqual([]);
  });
});

test('a run whose endpoint failed now and then replays without the faults', async () => {
  const faulty = (asked: Asked, n: number): Answer => {
    if (n % 5 === 1) return { status: 503, text: '{"error":{"message":"overloaded"}}' };
    if (n % 7 === 2) return { status: 429, text: '{"error":{"message":"slow down"}}' };
    if (n % 11 === 3) return { status: 200, text: '{"choices":[{"index":0,"mess' };
    return drawing(asked, n);
  };
  const patient = [
    '--attempts',
    '40',
    '--backoff',
    '1ms',
    '--record',
    'faulty-first/tape',
    '--out',
    'faulty-first',
    '--json',
  ];
  const first = await recorded(faulty, (env) => run(patient, env));
  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout).models.spending.failed).toBeGreaterThan(20);
  const again = await run(['--replay', 'faulty-first/tape', '--out', 'faulty-again'], ALONE);
  expect(again.code).toBe(0);
  expect(differences(decisionsOf(at('faulty-first')), decisionsOf(at('faulty-again')))).toEqual([]);
});

test('a run in which calls were lost for good replays with the same losses', async () => {
  let never = '';
  const losing = (asked: Asked, n: number): Answer => {
    const sent = JSON.stringify(asked.body);
    if (n === 40) never = sent;
    if (sent !== never) return drawing(asked, n);
    return { status: 400, text: '{"error":{"message":"cannot be answered"}}' };
  };
  const lost = (name: string) => {
    const journal = readFileSync(at(path.join(name, 'journal.jsonl')), 'utf8')
      .trimEnd()
      .split('\n');
    return journal.filter((line) => line.includes('cannot be answered')).length;
  };
  const first = await recorded(losing, (env) => run(['--record', 'lost-tape', '--out', 'lost-first'], env));
  expect(first.code).toBe(0);
  expect(lost('lost-first')).toBeGreaterThan(0);
  const again = await run(['--replay', 'lost-tape', '--out', 'lost-again'], ALONE);
  expect(again.code).toBe(0);
  expect(lost('lost-again')).toBe(lost('lost-first'));
  expect(differences(decisionsOf(at('lost-first')), decisionsOf(at('lost-again')))).toEqual([]);
});

test('evolve trial records and replays', async () => {
  const trial = (args: string[], env: Record<string, string | undefined>) => {
    const what = ['--genome', 'genomes/cool', '--suite', 'suite', '--task', 's1', '--repeats', '2', '--json'];
    return evolve(['trial', ...what, '--model', 'small', '--allow-unpriced', ...args], {
      cwd: folder.dir,
      env,
    });
  };
  const first = await recorded(drawing, (env) => trial(['--record', 'trial-tape'], env));
  expect(first).toMatchObject({ code: 0 });
  const again = await trial(['--replay', 'trial-tape'], ALONE);
  expect(again).toMatchObject({ code: 0 });
  const scores = ({ stdout }: { stdout: string }) => JSON.parse(stdout).tasks;
  expect(scores(again)).toEqual(scores(first));

  const other = await trial(['--replay', 'trial-tape', '--seed', '9'], ALONE);
  const [stopped, advice] = other.stderr.trimEnd().split('\n').slice(-2);
  expect(stopped).toMatch(/^evolve: stopped: cassette trial-tape does not hold this request /);
  expect(advice).toMatch(/^evolve: Replay with the options, files and version/);
  expect(other.stderr).not.toContain('trials done');
  expect(other.code).toBe(4);
  expect(scores(other)).toMatchObject([{ id: 's1', mean: null }]);
});

test('the offline model in process is recorded and replayed like any other', async () => {
  const offline = (args: string[]) => run(['--model', 'offline', ...args], ALONE);
  expect((await offline(['--record', 'offline-tape', '--out', 'offline-first'])).code).toBe(0);
  expect((await offline(['--replay', 'offline-tape', '--out', 'offline-again'])).code).toBe(0);
  expect((await offline(['--out', 'offline-plain'])).code).toBe(0);
  const first = decisionsOf(at('offline-first'));
  expect(differences(first, decisionsOf(at('offline-again')))).toEqual([]);
  expect(differences(first, decisionsOf(at('offline-plain')))).toEqual([]);
});
