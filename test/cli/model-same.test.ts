import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answered, serveOffline } from '../../src/offline/serve.ts';
import { decisionsOf, differences } from './journal.ts';
import { modelWorld, type World } from './model-world.ts';

let world: World;
beforeAll(async () => {
  world = await modelWorld();
  const ran = await world.search('in-process', { model: 'offline' });
  expect(ran).toMatchObject({ code: 0 });
});
afterAll(() => world.remove());

test.each([
  ['streamed', []],
  ['whole', ['--no-stream']],
])('the offline model behind a port, its replies %s, gives the same journal', async (name, args) => {
  const answered: Answered[] = [];
  const served = await serveOffline({ onRequest: (one) => answered.push(one) });
  const env = { OPENAI_BASE_URL: served.url, OPENAI_API_KEY: 'any' };
  const ran = await world.search(name, { model: 'offline', env, args }).finally(() => served.close());
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining(served.url) });
  const asked = answered.filter(({ path, status }) => path === '/v1/chat/completions' && status === 200);
  expect(asked.length).toBeGreaterThan(100);
  expect(differences(decisionsOf(world.at('in-process')), decisionsOf(world.at(name)))).toEqual([]);
});
