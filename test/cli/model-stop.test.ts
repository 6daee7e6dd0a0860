import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODEL, type ModelEndpoint, startModel } from './model-endpoint.ts';
import { modelWorld, type World } from './model-world.ts';

let world: World;
let endpoint: ModelEndpoint;
beforeAll(async () => {
  world = await modelWorld(['s1', 's2', 'f1']);
  endpoint = await startModel();
});
afterAll(async () => {
  await endpoint.close();
  world.remove();
});

test('Ctrl-C reaches a mutator that does not answer, and nothing more is asked', async () => {
  const silent = await startModel({ after: () => 3_600_000 });
  const mutator = ['--mutator-model', MODEL, '--mutator-base-url', silent.url];
  const { code, stderr } = await world.search('silent', {
    endpoint,
    args: mutator,
    during(child) {
      const look = setInterval(() => {
        if (silent.calls.length === 0) return;
        clearInterval(look);
        child.kill('SIGINT');
      }, 50);
    },
  });
  const asked = silent.calls.length;
  await silent.close();
  expect(code).toBe(130);
  expect(stderr).toContain('stopping; model calls under way may end first');
  // The slots of one generation ask side by side; none asks again after the stop.
  expect(asked).toBeLessThanOrEqual(2);
});

test('a budget holds for whoever resumes, until another one is given', async () => {
  const own = await startModel({ costly: true });
  const planned = await world.search('none', { endpoint: own, args: ['--dry-run', '--json'] });
  const { first } = JSON.parse(planned.stdout).calls;
  const budget = 1.1 * first.usd;
  const stopped = await world.search('bound', {
    endpoint: own,
    args: ['--budget-usd', budget.toFixed(6), '--quiet'],
  });
  expect(stopped.code).toBe(3);
  const again = await world.resume('bound', { endpoint: own });
  expect(again.code).toBe(3);
  const offered = /^ {4}evolve resume \S+ --budget-usd ([\d.]+)$/m.exec(again.stderr)?.[1];
  expect(Number(offered)).toBeGreaterThan(budget);
  expect(own.bill().usd).toBeLessThanOrEqual(budget);
  const more = await world.resume('bound', { endpoint: own, args: ['--budget-usd', '1000', '--quiet'] });
  expect(more.code).toBe(0);
  await own.close();
});
