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
      // Lines are wrapped at 110 columns.
      if (!words.test(text.replace(/\n {2}/g, ' '))) return;
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
  // Replies that come in while others fail may end a first pause at once.
  const pauses = typesIn('paused').filter((type) => /paused/.test(type));
  expect(pauses.join(' ')).toMatch(/^paused unpaused( paused unpaused)*$/);
  expect(lostIn('paused')).toEqual([]);
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('paused')))).toEqual([]);
});

test.each([500, 503])(
  'so does one that answers %i to all for a while, also where few calls meet it',
  async (code) => {
    let left = 40;
    let begun = false;
    let second = () => {};
    const both = new Promise<void>((resolve) => {
      second = resolve;
    });
    const endpoint = await startModel({
      // Both that ask for an edit meet it: a 500 to one alone, to its last attempt, may be the fault of what it asks.
      after: (n) => {
        if (n === 1) second();
        return n === 0 ? both : 0;
      },
      meets: (_, { role }) => {
        begun ||= role === 'mutator';
        return begun && left-- > 0 ? status(String(code), code, 'unavailable', 'no') : null;
      },
    });
    const name = `out-${code}`;
    const ran = await world.search(name, { endpoint, args: ['--backoff', '1ms'] });
    await endpoint.close();
    expect(ran).toMatchObject({ code: 0, stderr: expect.stringMatching(/paused: .*going on after/s) });
    expect(left).toBeLessThan(0);
    expect(lostIn(name)).toEqual([]);
    expect(differences(resultsOf(world.at('calm')), resultsOf(world.at(name)))).toEqual([]);
  },
);

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

test('Ctrl-C while the run is paused ends it, and it can be resumed', async () => {
  const endpoint = await startModel({
    meets: (n) => {
      if (n === 100) void endpoint.down();
      return null;
    },
  });
  let child: ChildProcess;
  const interrupt = when(/paused: /, () => child.kill('SIGINT'));
  const ran = await world.search('left', {
    ...{ endpoint, args: QUICK },
    during: (started) => {
      child = started;
      interrupt(started);
    },
  });
  expect(ran.code).toBe(130);
  expect(lostIn('left')).toEqual([]);
  await endpoint.up();
  expect(await world.search('left', { endpoint, args: QUICK })).toMatchObject({ code: 0 });
  await endpoint.close();
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('left')))).toEqual([]);
});

test('a request that the endpoint never answers costs its trial, which is missing and not 0', async () => {
  let never = '';
  const endpoint = await startModel({
    meets: (n, { role, raw }) => {
      if (n === 60 && role === 'agent') never = raw;
      return raw === never ? status('500', 500, 'unavailable', 'no') : null;
    },
  });
  const ran = await world.search('poisoned', { endpoint, args: [...QUICK, '--max-pause', '1m'] });
  await endpoint.close();
  expect(never).not.toBe('');
  expect(ran.code).toBe(0);
  // Two genomes may have come to ask the same.
  const lost = lostIn('poisoned');
  expect([1, 2, 3]).toContain(lost.length);
  for (const event of lost) {
    expect(event).toMatchObject({ outcome: { reason: expect.stringMatching(/500.*8 attempts/) } });
  }
  expect(spentIn(world.at('poisoned'))).toEqual(endpoint.bill());
});

test('one that answers, but never as it should, ends the run with exit code 4 and its words', async () => {
  const page = status('404-path', 404, 'bad-request', 'no', { body: '{"error":"no such deployment"}' });
  const endpoint = await startModel({ meets: (n) => (n < 100 ? null : page) });
  const ran = await world.search('useless', { endpoint, args: QUICK });
  await endpoint.close();
  expect(ran.code).toBe(4);
  expect(ran.stderr).toMatch(/no such deployment.*`evolve resume useless` goes on/);
});

/** Resolves when nothing has been asked for a while: for twenty looks, as this process may have been held up itself. */
async function quiet({ calls }: ModelEndpoint): Promise<void> {
  for (let looks = 0, known = 0; looks < 20; looks++) {
    if (calls.length > known) looks = 0;
    known = calls.length;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

describe.each([401, 402])('a %i in the middle', (code) => {
  test('stops the run at once, says what to do, and the run can be resumed', async () => {
    const from = 120;
    let mended = false;
    const refusal: KnownFault = status(String(code), code, 'refused', 'no');
    const endpoint: ModelEndpoint = await startModel({
      // All calls under way have come in before the first is refused.
      meets: (n) => (mended || n < from ? null : refusal),
      after: (n) => (mended || n < from ? 0 : quiet(endpoint)),
    });
    const name = `refused-${code}`;
    const ran = await world.search(name, { endpoint, args: QUICK });
    expect(ran.code).toBe(4);
    // One call of each trial under way at most, of which there are fourteen: none asks again, and none is begun.
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
