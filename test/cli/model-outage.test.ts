import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KnownFault, status } from '../llm/fault-answers.ts';
import { differences, eventsOf, resultsOf } from './journal.ts';
import { askedAgain, type ModelEndpoint, spentIn, startModel } from './model-endpoint.ts';
import { modelWorld, type Search, type World } from './model-world.ts';

const QUICK = ['--backoff', '10ms'];

let world: World;
let calm: ModelEndpoint;
beforeAll(async () => {
  world = await modelWorld();
  calm = await startModel();
  expect(await world.search('calm', { endpoint: calm })).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await calm.close();
  world.remove();
});

const typesIn = (run: string) => eventsOf(world.at(run)).map(({ type }) => type as string);
const lostIn = (run: string) =>
  eventsOf(world.at(run)).filter((event) => event.type === 'tried' && event.outcome.kind === 'lost');
/** Calls `then` as soon as the process says so on stderr. */
const when = (words: RegExp, then: () => void): NonNullable<Search['during']> => {
  return (child: ChildProcess) => {
    let text = '';
    const listen = (part: string) => {
      text += part;
      if (!words.test(text)) return;
      child.stderr?.off('data', listen);
      then();
    };
    child.stderr?.on('data', listen);
  };
};

test('an endpoint that goes away pauses the run, which goes on by itself when it is back', async () => {
  const endpoint = await startModel({
    meets: (n) => {
      if (n === 100) void endpoint.down();
      return null;
    },
  });
  const back = when(/paused: .*going on as soon as it is back/, () => void endpoint.up());
  const ran = await world.search('paused', { endpoint, args: QUICK, during: back });
  await endpoint.close();
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringMatching(/going on after/) });
  expect(typesIn('paused').filter((type) => /paused/.test(type))).toEqual(['paused', 'unpaused']);
  expect(lostIn('paused')).toEqual([]);
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('paused')))).toEqual([]);
});

test('one that stays away ends it with exit code 4, and the run can be resumed', async () => {
  const endpoint = await startModel({
    meets: (n) => {
      if (n === 100) void endpoint.down();
      return null;
    },
  });
  const args = [...QUICK, '--max-pause', '400ms'];
  const ran = await world.search('down', { endpoint, args });
  expect(ran.code).toBe(4);
  expect(ran.stderr).toMatch(/did not answer for .*`evolve resume down` goes on/);
  expect(ran.stderr).not.toMatch(/ at .*\.js:\d+/);
  expect(eventsOf(world.at('down')).at(-1)).toMatchObject({ type: 'stopped', stop: 'infrastructure' });
  expect(lostIn('down')).toEqual([]);

  const nobody = await world.search('down', { endpoint, args });
  expect(nobody).toMatchObject({ code: 4, stdout: '' });
  expect(nobody.stderr).toMatch(/OPENAI_BASE_URL/);

  await endpoint.up();
  expect(await world.search('down', { endpoint, args })).toMatchObject({ code: 0 });
  await endpoint.close();
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('down')))).toEqual([]);
});

describe.each([401, 402, 403])('a %i in the middle', (code) => {
  test('stops the run at once, says what to do, and the run can be resumed', async () => {
    const from = 120;
    let mended = false;
    const refusal: KnownFault = status(String(code), code, 'refused', 'no');
    const endpoint = await startModel({
      // A refusal takes a while, so that all calls under way have come in before the first of them.
      meets: (n) => (mended || n < from ? null : refusal),
      after: (n) => (mended || n < from ? 0 : 300),
    });
    const name = `refused-${code}`;
    const ran = await world.search(name, { endpoint, args: QUICK });
    expect(ran.code).toBe(4);
    // Those that were on their way when the first was refused, and none after it.
    expect(endpoint.calls.length - from).toBeLessThanOrEqual(endpoint.mostAtOnce());
    expect(endpoint.calls.length - from).toBeLessThan(20);
    expect(ran.stderr).toMatch(/key.*credit.*OPENAI_API_KEY/);
    expect(ran.stderr).toMatch(new RegExp(`${code}.*\`evolve resume ${name}\` goes on`));
    expect(eventsOf(world.at(name)).at(-1)).toMatchObject({ type: 'stopped', stop: 'refused' });
    expect(lostIn(name)).toEqual([]);
    expect(spentIn(world.at(name))).toEqual(endpoint.bill());

    mended = true;
    expect(await world.search(name, { endpoint, args: QUICK })).toMatchObject({ code: 0 });
    await endpoint.close();
    const answered = endpoint.calls.filter(({ fault }) => fault === null);
    expect(askedAgain(answered, calm.calls)).toBe(0);
    expect(spentIn(world.at(name))).toEqual(endpoint.bill());
    expect(differences(resultsOf(world.at('calm')), resultsOf(world.at(name)))).toEqual([]);
  });
});
