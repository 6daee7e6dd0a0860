import { describe, expect, test } from 'vitest';
import { type TrialSpec, trialSpec } from '../../src/evaluation/trial.ts';
import type { Event } from '../../src/event.ts';
import { withGate } from '../../src/selection/gate.ts';
import { apply, emptyState } from '../../src/state.ts';
import type { Role } from '../../src/suite/suite.ts';
import { plainWorld, runWorld } from '../fixtures/synthetic-world.ts';

const world = plainWorld({ search: { ...plainWorld().search, claimShare: 0.5 } });
const { events, state: ended } = await runWorld(world, { generations: 3 });

const task = (role: Role) => world.suite.tasks.find((candidate) => candidate.role === role)!;
const spec = (role: Role, genome: string, repeat = 0) =>
  trialSpec(1, 'synthetic', genome, task(role), repeat);
const stateAfter = (count: number) => events.slice(0, count).reduce(apply, emptyState());
const indexOf = (type: Event['type']) => events.findIndex((event) => event.type === type);

/** Whether the trial would reach whoever runs it. */
async function runs(count: number, ...specs: TrialSpec[]): Promise<boolean> {
  let reached = false;
  const open = {
    async evaluate() {
      reached = true;
      return [];
    },
    close: async () => {},
  };
  const gate = withGate(open, { state: stateAfter(count), suite: world.suite }, 5);
  const refused = await gate.evaluate(specs, () => {}).catch((error: unknown) => error);
  if (refused instanceof Error) expect(refused).toMatchObject({ name: 'UserError', exitCode: 5 });
  return reached;
}

const champion = indexOf('champion') + 1;
const claimed = indexOf('claimed') + 1;
const { claim } = ended.claims.get(1)!;

describe('the gate', () => {
  test('lets search tasks through at any time', async () => {
    expect(await runs(champion - 1, spec('search', ended.baseline))).toBe(true);
  });

  test.each([0, 5, champion - 1])(
    'no sealed task before the champion is named (%i events)',
    async (count) => {
      expect(await runs(count, spec('sealed', ended.champion!))).toBe(false);
      expect(await runs(count, spec('sealed', ended.baseline))).toBe(false);
    },
  );

  test('sealed tasks for champion and baseline alone, on the planned repeats', async () => {
    const other = [...ended.candidates.keys()].find((id) => id !== ended.champion && id !== ended.baseline)!;
    expect(await runs(champion, spec('sealed', ended.champion!, 4))).toBe(true);
    expect(await runs(champion, spec('sealed', ended.baseline))).toBe(true);
    expect(await runs(champion, spec('sealed', other))).toBe(false);
    expect(await runs(champion, spec('sealed', ended.champion!, 5))).toBe(false);
  });

  test('one bad trial refuses the whole batch', async () => {
    expect(await runs(champion - 1, spec('search', ended.baseline), spec('sealed', ended.baseline))).toBe(
      false,
    );
  });

  test('a sealed task under another role is refused', async () => {
    expect(await runs(5, { ...spec('sealed', ended.baseline), role: 'search' })).toBe(false);
    expect(await runs(5, { ...spec('search', ended.baseline), task: 'no-such-task' })).toBe(false);
  });

  test('validation tasks for the two sides of an open claim, on its own repeats', async () => {
    expect(await runs(claimed - 1, spec('validation', claim.candidate, claim.from))).toBe(false);
    expect(await runs(claimed, spec('validation', claim.candidate, claim.from))).toBe(true);
    expect(await runs(claimed, spec('validation', claim.against, claim.from + claim.passes - 1))).toBe(true);
    expect(await runs(claimed, spec('validation', claim.candidate, 0))).toBe(false);
    expect(await runs(claimed, spec('validation', claim.candidate, claim.from + claim.passes))).toBe(false);
    expect(await runs(events.length, spec('validation', claim.candidate, claim.from))).toBe(false);
  });
});

test('a journal with a sealed trial before its champion is refused, as is one of a third genome', () => {
  const sealed = events.find((event) => event.type === 'tried' && event.trial.role === 'sealed')!;
  expect(() => apply(stateAfter(champion - 1), sealed)).toThrow(/before a champion is named/);
  const other = structuredClone(sealed) as Extract<Event, { type: 'tried' }>;
  other.trial.genome = 'another';
  expect(() => apply(stateAfter(champion), other)).toThrow(/neither baseline nor champion/);
});
