import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differences, eventsOf, resultsOf } from './journal.ts';
import { askedAgain, ledgerOf, type ModelEndpoint, spentIn, startModel } from './model-endpoint.ts';
import { modelWorld, type World } from './model-world.ts';

const SIZE: [number, number] = [36, 2];
const MANY = ['--calls', '64', '--concurrency', '64', '--backoff', '10ms', '--first-tasks', '2'];

let world: World;
let calm: ModelEndpoint;
/** What the first generation takes by the forecast. */
let first: { usd: number; tokensIn: number; tokensOut: number };
beforeAll(async () => {
  world = await modelWorld(['s1', 's2', 'f1']);
  // Then nothing but what was put aside keeps the sum below the limit.
  calm = await startModel({ costly: true });
  expect(await world.search('calm', { endpoint: calm, size: SIZE, args: MANY })).toMatchObject({ code: 0 });
  const planned = await world.search('none', {
    endpoint: calm,
    size: SIZE,
    args: [...MANY, '--dry-run', '--json'],
  });
  first = JSON.parse(planned.stdout).calls.first;
});
afterAll(async () => {
  await calm.close();
  world.remove();
});

/** The ledger is what the endpoint counted; calls that were given up before they were sent stand there at nothing. */
function expectBooks(endpoint: ModelEndpoint, run: string): void {
  const { calls, ...bill } = endpoint.bill();
  expect(spentIn(world.at(run))).toMatchObject(bill);
  const sent = ledgerOf(world.at(run)).settled.filter(({ end }) => end.basis !== 'nothing');
  expect(sent).toHaveLength(calls);
}

describe.each(['usd', 'tokens'] as const)('--budget-%s', (unit) => {
  const used = (endpoint: ModelEndpoint) => {
    const { usd, tokensIn, tokensOut } = endpoint.bill();
    return unit === 'usd' ? usd : tokensIn + tokensOut;
  };
  const needed = () => (unit === 'usd' ? first.usd : first.tokensIn + first.tokensOut);
  const given = (amount: number) => [
    `--budget-${unit}`,
    unit === 'usd' ? amount.toFixed(6) : String(Math.round(amount)),
  ];

  test('is never passed with 64 calls in flight; more of it, and the run goes on to the same result', async () => {
    const all = used(calm);
    expect(needed()).toBeLessThan(all);
    const budget = Math.max(1.05 * needed(), 0.4 * all);
    const endpoint = await startModel({ costly: true, gather: { count: 64 }, after: () => 20 });
    const run = (amount: number) =>
      world.search(unit, { endpoint, size: SIZE, args: [...MANY, ...given(amount), '--json'] });
    const short = await run(budget);
    expect(short.code).toBe(3);
    expect(JSON.parse(short.stdout)).toMatchObject({ stop: `budget-${unit}`, gain: null });
    expect(short.stderr).toMatch(new RegExp(`Raise --budget-${unit}`));
    expect(endpoint.mostAtOnce()).toBe(64);
    expect(used(endpoint)).toBeLessThanOrEqual(budget);
    // It is used, too: what is left does not do for another call of the size of those in flight.
    expect(used(endpoint)).toBeGreaterThan(0.9 * budget);
    expectBooks(endpoint, unit);
    expect(ledgerOf(world.at(unit)).open).toEqual([]);
    expect(existsSync(world.at(`${unit}/report.md`))).toBe(true);
    const tried = eventsOf(world.at(unit)).flatMap((event) => (event.type === 'tried' ? [event] : []));
    expect(tried.filter(({ outcome }) => outcome.kind === 'lost')).toEqual([]);

    expect(await run(2 * all)).toMatchObject({ code: 0 });
    await endpoint.close();
    expect(used(endpoint)).toBeLessThanOrEqual(2 * all);
    expect(askedAgain(endpoint.calls, calm.calls)).toBe(0);
    expectBooks(endpoint, unit);
    expect(differences(resultsOf(world.at('calm')), resultsOf(world.at(unit)))).toEqual([]);
  });

  test('that does not pay for one generation is refused with the figure, and nothing is written or asked', async () => {
    const before = calm.calls.length;
    const ran = await world.search('poor', {
      endpoint: calm,
      size: SIZE,
      args: [...MANY, ...given(0.5 * needed())],
    });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(
      new RegExp(`--budget-${unit} .* does not do for one generation, which takes about \\$?[\\d,.]+`),
    );
    expect(existsSync(world.at('poor'))).toBe(false);
    expect(calm.calls).toHaveLength(before);
  });
});
