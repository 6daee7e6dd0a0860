import { afterAll, expect, test } from 'vitest';
import { rngAt } from '../../src/rng.ts';
import { type KnownFault, status } from '../llm/fault-answers.ts';
import { FAULTS } from '../llm/fault-kinds.ts';
import { differences, eventsOf, resultsOf } from './journal.ts';
import { ledgerOf, spentIn, startModel } from './model-endpoint.ts';
import { modelWorld, type World } from './model-world.ts';

const known = (kind: string): KnownFault => FAULTS.find((fault) => fault.kind === kind)!;

/** Faults that are worth another try, none of which takes its time. */
const QUICK: KnownFault[] = [
  known('429'),
  status('429-after', 429, 'busy', 'no', { headers: { 'retry-after': '0.02' } }),
  known('500'),
  known('502'),
  status('503-after', 503, 'unavailable', 'no', { headers: { 'retry-after': '0.02' } }),
  known('529'),
  known('reset-before-headers'),
  known('reset-in-the-body'),
  known('closed-without-an-answer'),
  known('html'),
  known('half-a-body'),
  known('body-cut-under-its-length'),
  known('stream-with-a-piece-cut'),
  known('stream-without-an-end'),
  known('stream-with-an-error'),
];
const SIZE: [number, number] = [10, 6];
const PATIENT = ['--attempts', '40', '--backoff', '2ms'];

let world: World;
afterAll(() => world.remove());

test('a run with 30% faults is the run without them, and the ledger is what the endpoint counted', async () => {
  world = await modelWorld();
  const calm = await startModel();
  expect(await world.search('calm', { endpoint: calm, size: SIZE })).toMatchObject({ code: 0 });
  expect(spentIn(world.at('calm'))).toEqual(calm.bill());
  await calm.close();

  const faulty = await startModel({
    meets: (n) => {
      const rng = rngAt('model-faults', n);
      return rng.next() < 0.3 ? QUICK[Math.floor(rng.next() * QUICK.length)]! : null;
    },
  });
  const ran = await world.search('faulty', { endpoint: faulty, size: SIZE, args: PATIENT });
  await faulty.close();

  expect(ran).toMatchObject({ code: 0 });
  expect(new Set(faulty.calls.map(({ fault }) => fault)).size).toBe(QUICK.length + 1);
  const failed = faulty.calls.filter(({ fault }) => fault !== null).length;
  expect(failed).toBeGreaterThan(0.25 * faulty.calls.length);
  expect(faulty.calls.length - failed).toBe(calm.calls.length);

  expect(differences(resultsOf(world.at('calm')), resultsOf(world.at('faulty')))).toEqual([]);
  const lost = eventsOf(world.at('faulty')).filter(
    (event) => event.type === 'tried' && event.outcome.kind === 'lost',
  );
  expect(lost).toEqual([]);
  expect(spentIn(world.at('faulty'))).toEqual(faulty.bill());
});

test('calls that fall silent are made again after the idle timeout, and none is lost', async () => {
  const endpoint = await startModel({
    meets: (n) => (n === 3 || n === 4 ? known('silence-in-the-body') : null),
  });
  const size: [number, number] = [2, 1];
  const args = [...PATIENT, '--idle-timeout', '3s'];
  expect(await world.search('silent', { endpoint, size, args })).toMatchObject({ code: 0 });
  await endpoint.close();
  const lost = eventsOf(world.at('silent')).filter(
    (event) => event.type === 'tried' && event.outcome.kind === 'lost',
  );
  expect(lost).toEqual([]);
  // Each counts in full; what else the machine held up for so long, too.
  const inFull = ledgerOf(world.at('silent')).settled.filter(({ end }) => end.basis === 'most');
  expect(inFull.length).toBeGreaterThanOrEqual(2);
});
