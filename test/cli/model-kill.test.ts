import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differences, resultsOf } from './journal.ts';
import {
  askedAgain,
  type Call,
  ledgerOf,
  type ModelEndpoint,
  spentIn,
  startModel,
} from './model-endpoint.ts';
import { modelWorld, type World } from './model-world.ts';

const SIZE: [number, number] = [6, 3];

let world: World;
let calm: ModelEndpoint;
beforeAll(async () => {
  world = await modelWorld();
  calm = await startModel();
  expect(await world.search('calm', { endpoint: calm, size: SIZE })).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await calm.close();
  world.remove();
});

/** A moment in the course of a run: its n-th request of a role comes in. */
type Moment = { role: Call['role']; nth: number };

test('killed at any moment, with calls in flight, it is the same run, and pays again for those alone', async () => {
  const of = (calls: readonly Call[], role: Call['role']) => calls.filter((call) => call.role === role);
  const some = (role: Call['role'], shares: number[]): Moment[] =>
    shares.map((share) => ({ role, nth: Math.ceil(share * of(calm.calls, role).length) }));
  const moments = [
    ...some('agent', [0.02, 0.3, 0.6, 0.97]),
    ...some('mutator', [0.1, 1]),
    ...some('critic', [0.1]),
  ];
  let child: ChildProcess | null = null;
  const endpoint: ModelEndpoint = await startModel({
    after: () => 3,
    // Its own answer is on its way when the process dies, or just before.
    meets: (_, call) => {
      // What the network still brings of one that is dead is no moment of the next.
      if (child?.killed) return null;
      const nth = of(endpoint.calls, call.role).length;
      const now = moments.findIndex((moment) => moment.role === call.role && nth >= moment.nth);
      if (now >= 0) {
        moments.splice(now, 1);
        child?.kill('SIGKILL');
      }
      return null;
    },
  });
  const run = () => world.search('killed', { endpoint, size: SIZE, during: (process) => (child = process) });
  let kills = 0;
  let unwritten = { agent: 0, others: 0 };
  for (let ran = await run(); ran.code !== 0; ran = await run()) {
    expect({ ...ran, code: null }).toEqual(ran);
    expect(++kills).toBeLessThan(20);
    // One reply at most may have been settled at that very moment, and not yet written down.
    const before = unwritten.agent + unwritten.others;
    unwritten = unwrittenIn('killed');
    expect(unwritten.agent + unwritten.others - before).toBeLessThanOrEqual(1);
  }
  await endpoint.close();

  expect({ kills, moments }).toMatchObject({ kills: expect.any(Number), moments: [] });
  expect(kills).toBe(7);
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('killed')))).toEqual([]);

  // Calls that were in flight when the process died stand open in the ledger.
  const { settled, open } = ledgerOf(world.at('killed'));
  for (const role of ['agent', 'mutator', 'critic'] as const) {
    const cut = open.filter(({ purpose }) => purpose === role).length;
    const again = askedAgain(of(endpoint.calls, role), of(calm.calls, role));
    const lost = role === 'agent' ? unwritten.agent : unwritten.others;
    expect(again, role).toBeLessThanOrEqual(cut + lost);
  }
  expect(open.length).toBeGreaterThan(0);
  expect(endpoint.calls.length).toBeGreaterThanOrEqual(settled.length);
  expect(endpoint.calls.length).toBeLessThanOrEqual(settled.length + open.length);
  const bill = endpoint.bill();
  const spent = spentIn(world.at('killed'));
  const sure = settled.reduce((sum, { end }) => sum + end.tokensIn + end.tokensOut, 0);
  expect(sure).toBeLessThanOrEqual(bill.tokensIn + bill.tokensOut);
  expect(spent.tokensIn).toBeGreaterThanOrEqual(bill.tokensIn);
  expect(spent.tokensOut).toBeGreaterThanOrEqual(bill.tokensOut);
  expect(spent.usd).toBeGreaterThanOrEqual(bill.usd);
});

test.each(['mutator', 'critic'] as const)(
  'a reply of the %s that came before a kill is not paid for again',
  async (role) => {
    const run = `killed-${role}`;
    const ofRole = (calls: readonly Call[]) => calls.filter((call) => call.role === role);
    let child: ChildProcess | null = null;
    const endpoint: ModelEndpoint = await startModel({
      // The second of two that are asked at the same time hears nothing.
      after: () => (child && ofRole(endpoint.calls).length === 2 ? new Promise(() => {}) : 0),
    });
    const killed = await world.search(run, {
      ...{ endpoint, size: SIZE },
      during: (started) => {
        child = started;
        const timer = setInterval(() => {
          const [, ...replies] = linesOf(world.at(`${run}/calls.jsonl`));
          const asked = endpoint.calls.filter((call) => call.role !== 'agent').length;
          if (ofRole(endpoint.calls).length < 2 || replies.length < asked - 1) return;
          clearInterval(timer);
          started.kill('SIGKILL');
        }, 5);
      },
    });
    child = null;
    expect(killed.code).toBe(null);
    expect(ledgerOf(world.at(run)).open.map(({ purpose }) => purpose)).toContain(role);
    expect(await world.search(run, { endpoint, size: SIZE })).toMatchObject({ code: 0 });
    await endpoint.close();
    expect(askedAgain(ofRole(endpoint.calls), ofRole(calm.calls))).toBe(1);
    expect(differences(resultsOf(world.at('calm')), resultsOf(world.at(run)))).toEqual([]);
  },
);

/** How many replies of a dead run its ledger has settled, and neither its trials nor its own file of replies hold. */
function unwrittenIn(run: string): { agent: number; others: number } {
  const { settled } = ledgerOf(world.at(run));
  const paid = settled.filter(({ end }) => end.basis === 'usage');
  const ofAgent = paid.filter(({ purpose }) => purpose === 'agent').length;
  const trials = existsSync(world.at(`${run}/trials`)) ? readdirSync(world.at(`${run}/trials`)) : [];
  const kept = trials.map((id) => linesOf(world.at(`${run}/trials/${id}/calls.jsonl`)).length);
  const [, ...others] = linesOf(world.at(`${run}/calls.jsonl`));
  return {
    agent: ofAgent - kept.reduce((sum, count) => sum + count, 0),
    others: paid.length - ofAgent - others.length,
  };
}

/** The whole lines of a file; none where there is no file. */
function linesOf(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

test('Ctrl-C lets calls in flight end, and what came of them is not paid for again', async () => {
  let child: ChildProcess | null = null;
  let heard = () => {};
  /** That it stops is said, or it has ended. */
  const told = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const endpoint = await startModel({
    // The signal finds calls in flight, which are answered once it has been heard. By the twentieth, two of the eight
    // trials can be over at most, whatever their pace: five at least ask once more.
    after: (n) => {
      if (n < 20) return 0;
      if (n === 24) child?.kill('SIGINT');
      return told;
    },
  });
  const search = () =>
    world.search('stopped', {
      ...{ endpoint, size: SIZE },
      during: (process) => {
        child = process;
        process.stderr?.on('data', (text: string) => /may end first/.test(text) && heard());
        process.once('exit', heard);
      },
    });
  const stopped = await search();
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/model calls under way may end first, 10 s at most/);
  expect(stopped.stderr).toMatch(/evolve resume stopped/);
  const before = endpoint.calls.length;
  expect(before).toBeGreaterThanOrEqual(25);
  expect(before).toBeLessThan(calm.calls.length);
  expect(endpoint.calls.every(({ ended }) => ended)).toBe(true);
  expect(ledgerOf(world.at('stopped')).open).toEqual([]);
  expect(await search()).toMatchObject({ code: 0 });
  await endpoint.close();
  expect(askedAgain(endpoint.calls, calm.calls)).toBe(0);
  expect(endpoint.calls).toHaveLength(calm.calls.length);
  expect(spentIn(world.at('stopped'))).toEqual(endpoint.bill());
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('stopped')))).toEqual([]);
});

test('Ctrl-C with calls that are not answered ends within the grace, and they count in full', async () => {
  let child: ChildProcess | null = null;
  let hung = true;
  const endpoint = await startModel({
    after: (n) => {
      if (!hung || n < 60) return 0;
      if (n === 60) child?.kill('SIGINT');
      return new Promise(() => {});
    },
  });
  const search = () => world.search('hung', { endpoint, size: SIZE, during: (process) => (child = process) });
  expect(await search()).toMatchObject({ code: 130 });
  const unanswered = endpoint.calls.filter(({ ended }) => !ended).length;
  expect(unanswered).toBeGreaterThan(0);
  hung = false;
  expect(await search()).toMatchObject({ code: 0 });
  await endpoint.close();
  expect(askedAgain(endpoint.calls, calm.calls)).toBe(unanswered);
  const { settled, open } = ledgerOf(world.at('hung'));
  expect(open).toEqual([]);
  const inFull = settled.filter(({ end }) => end.basis === 'most');
  expect(inFull).toHaveLength(unanswered);
  for (const { most, end } of inFull) expect(end).toMatchObject(most);
  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('hung')))).toEqual([]);
});
