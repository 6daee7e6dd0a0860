import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Price } from '../../src/llm/profile.ts';
import { profileOf } from '../../src/llm/profiles.ts';
import { eventsOf } from './journal.ts';
import { type Call, KEY, ledgerOf, MODEL, type ModelEndpoint, startModel } from './model-endpoint.ts';
import { modelWorld, type World } from './model-world.ts';

const MUTATOR = 'MiniMax-M2.7';
const CRITIC = 'house-model';
const KEYS = { mutator: 'key-of-the-second-endpoint', critic: 'key-of-the-third-endpoint' };
const PRICES: Record<Call['role'], Price> = {
  agent: profileOf(MODEL).price!,
  mutator: profileOf(MUTATOR).price!,
  critic: { input: 7, cachedInput: 7, output: 11, asOf: 'given by the user' },
};

let world: World;
let agent: ModelEndpoint;
let mutator: ModelEndpoint;
let critic: ModelEndpoint;
beforeAll(async () => {
  world = await modelWorld();
});
afterAll(() => world.remove());

/** Three endpoints, the environment with all their keys, and who is to be asked where, as in a config file. */
async function startAll() {
  agent = await startModel();
  mutator = await startModel({ models: [MUTATOR] });
  critic = await startModel({ models: [CRITIC] });
  const env = { ...agent.env, MUTATOR_KEY: KEYS.mutator, CRITIC_KEY: KEYS.critic };
  const settings = {
    'mutator-model': MUTATOR,
    'mutator-base-url': mutator.url,
    'mutator-key-variable': 'MUTATOR_KEY',
    'critic-model': CRITIC,
    'critic-base-url': critic.url,
    'critic-key-variable': 'CRITIC_KEY',
  };
  return { env, settings };
}

async function closeAll(): Promise<void> {
  for (const endpoint of [agent, mutator, critic]) await endpoint.close();
}

/** Each endpoint was asked for its own model, in its own role, with its own key; and nobody else's key came near it. */
function expectEachItsOwn(): void {
  const own = { agent: KEY, ...KEYS };
  for (const [role, endpoint] of Object.entries({ agent, mutator, critic })) {
    expect(endpoint.calls.length, role).toBeGreaterThan(0);
    expect([...new Set(endpoint.calls.map((call) => call.role))]).toEqual([role]);
    expect([...endpoint.keys()]).toEqual([`Bearer ${own[role as 'agent']}`]);
  }
}

/** What the ledger says of a role is what its endpoint counted, at the price of its model. */
function expectBooks(run: string, prices: Record<Call['role'], Price | null>): void {
  const { settled } = ledgerOf(world.at(run));
  for (const [role, endpoint] of Object.entries({ agent, mutator, critic })) {
    const own = settled.filter(({ purpose }) => purpose === role);
    const price = prices[role as Call['role']];
    const { calls, tokensIn, usd } = endpoint.bill(
      price ?? { input: 0, cachedInput: 0, output: 0, asOf: '' },
    );
    expect(own.length).toBe(calls);
    expect(own.reduce((sum, { end }) => sum + end.tokensIn, 0)).toBe(tokensIn);
    expect(own.reduce((sum, { end }) => sum + end.usd, 0)).toBeCloseTo(usd, 9);
  }
}

test('mutator and critic by flags: each is asked for its own with its own key, also after a resume', async () => {
  const { env, settings } = await startAll();
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const search = (args: string[]) => world.search('flags', { args, env, size: [6, 4] });

  const refused = await search(flags);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/no price is known for the model house-model; .*--allow-unpriced/);

  const short = await search([...flags, '--allow-unpriced', '--budget-trials', '30']);
  expect(short.code).toBe(3);
  // The folder remembers where they are, not their keys.
  const ran = await world.resume('flags', { env });
  await closeAll();
  expect(ran.stderr).toMatch(/house-model at .*, price unknown, counted as \$0/);
  expect(ran.code).toBe(0);
  expectEachItsOwn();
  expectBooks('flags', { ...PRICES, critic: null });
});

test('by a config file, which may give prices: the ledger counts with them', async () => {
  const { env, settings } = await startAll();
  const file = world.at('config.json');
  const models = { [CRITIC]: { price: { input: 7, output: 11 } } };
  writeFileSync(file, JSON.stringify({ ...settings, models }));
  const ran = await world.search('file', { args: ['--config', file], env, size: [6, 4] });
  await closeAll();
  expect(ran).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/house-model at .*, \$7 in and \$11 out/),
  });
  expectEachItsOwn();
  expectBooks('file', PRICES);
  const kept = ['run.json', 'journal.jsonl', 'ledger.jsonl', 'calls.jsonl', 'report.json', 'report.md'];
  for (const name of kept) {
    const text = readFileSync(world.at(`file/${name}`), 'utf8');
    for (const key of [KEY, ...Object.values(KEYS)]) expect(text.includes(key), name).toBe(false);
  }
  expect(eventsOf(world.at('file'))[0]).toMatchObject({
    identity: { model: MODEL, mutator: MUTATOR, critic: CRITIC },
  });
});
