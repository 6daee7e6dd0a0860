import { describe, expect, test } from 'vitest';
import type { TrialSpec } from '../../src/evaluation/trial.ts';
import type { Claim, Event, Settled } from '../../src/event.ts';
import { resultOf } from '../../src/selection/result.ts';
import { apply, emptyState } from '../../src/state.ts';
import {
  plainGenome,
  plainWorld,
  runWorld,
  syntheticSuite,
  type World,
} from '../fixtures/synthetic-world.ts';

const claims = (events: readonly Event[]): Claim[] =>
  events.flatMap((event) => (event.type === 'claimed' ? event.claims : []));
const settled = (events: readonly Event[]): Settled[] =>
  events.flatMap((event) => (event.type === 'settled' ? [event.settled] : []));
const at = (events: readonly Event[], type: Event['type']) =>
  events.findIndex((event) => event.type === type);

/** A world small enough for a test, in which half of the trials may go to claims. */
const rich = { ...plainWorld().search, claimShare: 0.5 };

/** Worth nothing but its luck. */
const alike = (change: Partial<World> = {}) => plainWorld({ worth: () => 0.5, ...change });

describe('claims', () => {
  test("the champion's comes first, before its data; each has passes of its own that nothing else uses", async () => {
    const { events, state, result } = await runWorld(plainWorld({ search: rich }), { generations: 10 });
    const made = claims(events);
    expect(made[0]).toMatchObject({
      ...{ number: 1, kind: 'champion', candidate: state.champion, against: state.baseline, alpha: 0.0125 },
    });
    expect(made.map(({ number }) => number)).toEqual(made.map((_, i) => i + 1));
    expect(made.length).toBeGreaterThan(1);
    expect(made.length).toBeLessThanOrEqual(5);
    const owner = (repeat: number) =>
      made.filter(({ from, passes }) => repeat >= from && repeat < from + passes).map(({ number }) => number);
    for (const [i, event] of events.entries()) {
      if (event.type !== 'tried' || event.trial.role !== 'validation') continue;
      const [number, ...more] = owner(event.trial.repeat);
      expect(more).toEqual([]);
      const named = events.findIndex(
        (other) => other.type === 'claimed' && other.claims.some((claim) => claim.number === number),
      );
      expect(named).toBeGreaterThan(at(events, 'champion'));
      expect(named).toBeLessThan(i);
    }
    // Both sides met the same tasks on the same seeds.
    const seeds = (genome: string) =>
      events.flatMap((event) =>
        event.type === 'tried' && event.trial.genome === genome && owner(event.trial.repeat)[0] === 1
          ? [event.trial.seed]
          : [],
      );
    expect(seeds(state.champion!)).toEqual(seeds(state.baseline));
    expect(result.champion).toMatchObject({ credited: true });
    expect(result.claims[0]!.gain).toBeCloseTo(result.champion!.validation! - result.baseline.validation!, 9);
  });

  test('take no more than their share of the trials, and none when there are none', async () => {
    for (const claimShare of [0.1, 0.25, 0.5]) {
      const { state } = await runWorld(plainWorld({ search: { ...plainWorld().search, claimShare } }), {
        generations: 6,
      });
      const trials = [...state.trials.values()];
      const taken = trials.filter(({ role }) => role === 'validation').length;
      expect(taken).toBeLessThanOrEqual(claimShare * trials.length);
    }
    const none = await runWorld(plainWorld({ search: { ...plainWorld().search, claims: 0 } }));
    expect(claims(none.events)).toEqual([]);
    expect(none.result.champion).toMatchObject({ credited: false, validation: null });
  });

  test('the result says why there is none on the champion', async () => {
    const why = async (change: Partial<World>, generations = 6) => {
      const { result, state } = await runWorld(plainWorld(change), { generations });
      const own = result.claims.some(({ kind }) => kind === 'champion');
      expect(result.untested === undefined).toBe(own);
      expect(result.untested?.why === 'is the baseline').toBe(state.champion === state.baseline);
      return result.untested;
    };
    const search = plainWorld().search;
    expect(await why({ search: rich })).toBeUndefined();
    expect(await why({ search: { ...search, claims: 0 } })).toEqual({ why: 'no claims' });
    const suite = syntheticSuite({ search: 6, validation: 0, sealed: 8 });
    expect(await why({ suite })).toEqual({ why: 'no validation tasks' });
    const few = await why({ search: { ...search, claimShare: 0.02 } });
    expect(few).toMatchObject({ why: 'too few trials', share: 0.02 });
    if (few?.why === 'too few trials') expect(few.passes).toBeLessThan(few.least);
    expect(await why({ worth: () => 0.5, noise: { shared: 0, own: 0 } })).toEqual({ why: 'is the baseline' });
  });

  test('claims that went to an earlier champion are not there for a later one', async () => {
    const world = plainWorld({ search: { ...rich, claims: 1 } });
    const first = await runWorld(world, { generations: 2 });
    for (let generations = 3; ; generations++) {
      const { state, result } = await runWorld(world, { generations, before: first.events });
      if (state.champion === first.state.champion && generations < 20) continue;
      expect(first.result.claims).toHaveLength(1);
      expect(state.champion).not.toBe(first.state.champion);
      expect(result.untested).toEqual({ why: 'claims used up', claims: 1 });
      break;
    }
  });

  test('credits of one raise the level of those that are named after it', async () => {
    const { events } = await runWorld(plainWorld({ search: rich }), { generations: 10 });
    const [champion, ...steps] = claims(events);
    expect(settled(events)[0]).toMatchObject({ claim: champion!.number, credited: true });
    // γ of the others is 1/8: α/8, doubled by one credit.
    expect(new Set(steps.map(({ alpha }) => alpha))).toEqual(new Set([0.025 / 4]));
  });

  test('no credit where nothing that differs was active, however good the luck', async () => {
    const lazy = plainWorld({
      worth: (genome) => (Object.keys(genome.rules).length > 0 ? 0.8 : 0.3),
      founders: [{ name: 'baseline', genome: plainGenome() }],
      search: rich,
    });
    const { events } = await runWorld(lazy, { generations: 6 });
    const deaf = events.map((event): Event => {
      if (event.type !== 'tried' || event.outcome.kind === 'lost') return event;
      return { ...event, outcome: { ...event.outcome, active: [] } };
    });
    // The same run up to its champion, in a world in which no rule ever fires.
    const before = deaf.slice(0, at(deaf, 'champion') + 1);
    const champion = before.reduce(apply, emptyState()).champion!;
    const changes = before.flatMap((event) =>
      event.type === 'bred' && event.candidate.id === champion ? event.candidate.changes : [],
    );
    expect(changes.length).toBeGreaterThan(0);
    const silent = await runWorld(lazy, {
      generations: 6,
      before,
      evaluator: () => ({
        async evaluate(specs, onOutcome) {
          const usage = { tokensIn: 1, tokensOut: 1, usd: 0, turns: 1, jobs: 0, gpuMs: 0 };
          for (const spec of specs) {
            const score = spec.genome === champion ? 0.9 : 0.1;
            const common = { score, raw: score, medal: 'none' as const, aboveMedian: false, usage, jobs: [] };
            onOutcome(spec, { kind: 'scored', ...common, active: [] });
          }
          return [];
        },
        close: async () => {},
      }),
    });
    const own = silent.result.claims[0]!;
    const always = own.active.some((path) => /^(sampling|tools|limits)\./.test(path));
    expect(own.credited).toBe(always);
    expect(own.e).toBeGreaterThan(1 / own.alpha);
  });

  test('in a world where nothing matters hardly anything is credited', async () => {
    let credits = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { result } = await runWorld(alike({ population: 6 }), { seed, generations: 3 });
      credits += result.claims.filter(({ credited }) => credited).length;
    }
    expect(credits).toBeLessThanOrEqual(4);
  });

  test('cut anywhere between its first claim and its end, a run goes on to the same claims', async () => {
    const options = { generations: 8 };
    const whole = await runWorld(plainWorld(), options);
    const [first, end] = [at(whole.events, 'champion'), whole.events.length];
    for (let cut = first; cut < end; cut += Math.ceil((end - first) / 17)) {
      const again = await runWorld(plainWorld(), { ...options, before: whole.events.slice(0, cut) });
      expect(again.result).toEqual(whole.result);
      expect(claims(again.events)).toEqual(claims(whole.events));
    }
  });

  test('without validation tasks the run goes on, and nothing is credited', async () => {
    const suite = syntheticSuite({ search: 6, validation: 0, sealed: 8 });
    const { result } = await runWorld(plainWorld({ suite }), { generations: 3 });
    expect(result).toMatchObject({
      stop: 'finished',
      claims: [],
      champion: { credited: false, validation: null },
    });
  });
});

describe('a run that is extended after its end', () => {
  test('has its champion credited where it was tested as a step before', async () => {
    const world = plainWorld({ search: rich });
    const { state, result } = await runWorld(world, { generations: 10 });
    const { claim, settled } = state.claims.get(1)!;
    state.claims.set(1, { claim: { ...claim, kind: 'step' }, settled });
    const parts = { state, identity: state.identity!, suite: world.suite, generations: 10 };
    const finals = { count: world.search.finalRepeats, from: 1_000_000 };
    expect(resultOf(parts, finals).champion).toMatchObject({
      credited: true,
      validation: result.champion!.validation,
    });
  });

  test('while claims are open settles those, and tests its new champion then', async () => {
    const options = { seed: 3, generations: 3 };
    const first = await runWorld(plainWorld({ search: rich }), options);
    const cut = at(first.events, 'claimed') + 20;
    const before = first.events.slice(0, cut);
    expect(before.some(({ type }) => type === 'settled')).toBe(false);
    const more = await runWorld(plainWorld({ search: rich }), { ...options, generations: 12, before });
    const own = more.result.claims.filter(({ kind }) => kind === 'champion');
    expect(own.map(({ candidate }) => candidate)).toEqual([first.state.champion, more.state.champion]);
    expect(own[0]).toMatchObject({
      e: first.result.claims[0]!.e,
      credited: first.result.claims[0]!.credited,
    });
    expect(more.result).toMatchObject({ verdict: expect.not.stringMatching('not measured') });
    const taken = [...more.state.trials.values()].filter(({ role }) => role === 'validation').length;
    expect(taken).toBeLessThanOrEqual(0.5 * more.state.trials.size);
  });

  test('scores no second champion on sealed tasks, says so, and withdraws no credit', async () => {
    const first = await runWorld(plainWorld(), { seed: 3, generations: 3 });
    const sealed = (events: readonly Event[]) =>
      events.filter((event) => event.type === 'tried' && event.trial.role === 'sealed').length;
    const more = await runWorld(plainWorld(), { seed: 3, generations: 12, before: first.events });
    expect(more.state.champion).not.toBe(first.state.champion);
    expect(sealed(more.events)).toBe(sealed(first.events));
    expect(more.result).toMatchObject({
      ...{ stop: 'finished', verdict: 'not measured', gain: null, sealedFor: first.state.champion },
      champion: { id: more.state.champion, sealed: null },
    });
    expect(more.result.claims.slice(0, first.result.claims.length).map(({ credited }) => credited)).toEqual(
      first.result.claims.map(({ credited }) => credited),
    );
    expect(more.result.claims.length).toBeLessThanOrEqual(5);
  });

  test('tests its champion if all sealed trials of the one before were lost', async () => {
    const loses = ({ role }: TrialSpec) => role === 'sealed';
    const first = await runWorld(plainWorld(), { seed: 3, generations: 3, loses });
    expect(first.result.stop).toBe('infrastructure');
    const more = await runWorld(plainWorld(), { seed: 3, generations: 12, before: first.events });
    expect(more.state.champion).not.toBe(first.state.champion);
    expect(more.state.sealedFor).toBe(more.state.champion);
    expect(more.result).toMatchObject({ stop: 'finished', champion: { sealed: expect.any(Number) } });
  });

  test('tests its champion if only the baseline has met the sealed tasks so far', async () => {
    const few = plainWorld({ founders: [{ name: 'baseline', genome: plainGenome() }], population: 3 });
    let [seed, short] = [0, await runWorld(few, { seed: 0, generations: 1 })];
    while (short.state.champion !== short.state.baseline)
      short = await runWorld(few, { seed: ++seed, generations: 1 });
    expect(short.result).toMatchObject({ verdict: 'cannot tell apart', gain: { mean: 0 }, power: null });
    const more = await runWorld(few, { seed, generations: 25, before: short.events });
    expect(more.state.champion).not.toBe(more.state.baseline);
    expect(more.state.sealedFor).toBe(more.state.champion);
    expect(more.result.gain).not.toBeNull();
  });
});
