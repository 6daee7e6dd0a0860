import { describe, expect, test } from 'vitest';
import type { TrialSpec } from '../src/evaluation/trial.ts';
import type { Event } from '../src/event.ts';
import type { Llm } from '../src/llm/llm.ts';
import { rngAt } from '../src/rng.ts';
import type { State } from '../src/state.ts';
import {
  type Journal,
  plainGenome,
  plainWorld,
  runWorld,
  scriptedModel,
  syntheticSuite,
  trueGain,
} from './fixtures/synthetic-world.ts';

// Enough for claims in runs as small as these.
const world = plainWorld({ search: { ...plainWorld().search, claimShare: 0.4 } });

describe('the search', () => {
  test('finds a harness that is better on fresh repeats and on tasks it never saw', async () => {
    const { state, result } = await runWorld(world, { generations: 12 });
    expect(trueGain(world, state.champion!, 'search')).toBeGreaterThan(0.15);
    expect(trueGain(world, state.champion!, 'sealed')).toBeGreaterThan(0.15);
    expect(result.verdict).toBe('better');
    expect(result.champion?.credited).toBe(true);
    // The headline is an honest estimate: noise at 8 tasks × 3 repeats is about 0.06.
    expect(Math.abs(result.gain!.mean - trueGain(world, state.champion!, 'sealed'))).toBeLessThan(0.15);
  });

  test('of harnesses that are all alike it says "better" no more often than chance allows', async () => {
    const alike = plainWorld({ worth: () => 0.5, population: 6 });
    let better = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { result } = await runWorld(alike, { seed, generations: 2 });
      if (result.verdict === 'better') better++;
    }
    expect(better).toBeLessThanOrEqual(3);
  });

  test('measures every generation on a repeat of its own, baseline and survivors on all search tasks', async () => {
    const { events, state } = await runWorld(world, { generations: 4 });
    const search = tried(events).filter(
      (event) => event.trial.role === 'search' && event.trial.repeat < 1000,
    );
    expect(search.every((event) => event.trial.repeat === event.generation)).toBe(true);
    for (let generation = 0; generation < 4; generation++) {
      const tasks = search.filter(
        (event) => event.generation === generation && event.trial.genome === state.baseline,
      );
      expect(tasks).toHaveLength(6);
    }
  });

  test('no sealed or validation trial before the champion is in the journal', async () => {
    const { events } = await runWorld(world, { generations: 3 });
    const frozen = events.findIndex((event) => event.type === 'champion');
    const roles = (from: number, to: number) =>
      new Set(tried(events.slice(from, to)).map((event) => event.trial.role));
    expect(roles(0, frozen)).toEqual(new Set(['search']));
    expect(roles(frozen, events.length)).toEqual(new Set(['validation', 'sealed']));
  });

  test('what the mutator and the critic read is of search tasks only', async () => {
    const read = new Set<string>();
    const { events } = await runWorld(world, {
      generations: 4,
      parts: {
        readTrajectory: async (trial) => {
          read.add(trial);
          return null;
        },
      },
    });
    const roles = new Map(tried(events).map((event) => [event.trial.id, event.trial.role]));
    expect(read.size).toBeGreaterThan(5);
    expect(new Set([...read].map((trial) => roles.get(trial)))).toEqual(new Set(['search']));
  });

  test('refuses what cannot live and what is known, with the reason, and fills the slot otherwise', async () => {
    const stubborn: Llm = async () => ({
      message: {
        role: 'assistant',
        content:
          '{"edits": [{"op": "set", "path": "sampling.temperature", "value": 0.5, "reason": "half is enough"}]}',
      },
      ...{ finish: 'stop', tokensIn: 1, tokensOut: 1 },
    });
    const { events, state } = await runWorld(plainWorld({ mutator: stubborn }), { generations: 5 });
    const reasons = events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []));
    expect(reasons.some((reason) => /^the same genome as [0-9a-f]{12} of generation \d$/.test(reason))).toBe(
      true,
    );
    expect(state.refused).toBe(reasons.length);
    const bred = events.flatMap((event) => (event.type === 'bred' ? [event.candidate] : []));
    expect(new Set(bred.map((candidate) => candidate.id)).size).toBe(bred.length);
    for (const generation of [1, 2, 3, 4]) {
      expect(bred.filter((candidate) => candidate.generation === generation)).toHaveLength(10 - 4);
    }
  });

  test('a model that never gives a usable edit is asked twice, and refused', async () => {
    let asked = 0;
    const silent: Llm = async (request) => {
      if (String(request.messages[0]?.content).startsWith('You improve')) asked++;
      return { message: { role: 'assistant', content: null }, finish: 'stop', tokensIn: 1, tokensOut: 0 };
    };
    const { events } = await runWorld(plainWorld({ mutator: silent }), { generations: 3 });
    const refused = events.filter((event) => event.type === 'refused' && event.operator === 'mutate-text');
    expect(refused.length).toBeGreaterThan(0);
    expect(asked).toBe(2 * refused.length);
  });

  test('without sealed tasks it says so', async () => {
    const suite = syntheticSuite({ search: 4, validation: 2, sealed: 0 });
    const { result } = await runWorld(plainWorld({ suite }), { generations: 2 });
    expect(result).toMatchObject({
      stop: 'finished',
      verdict: 'no sealed tasks',
      gain: null,
      near: null,
      far: null,
    });
  });

  test('with nothing but the baseline and harm, the baseline stays champion and nothing is claimed', async () => {
    const best = plainGenome();
    const worth = (genome: object) => (JSON.stringify(genome) === JSON.stringify(best) ? 0.6 : 0.3);
    const founders = [{ name: 'baseline', genome: best }];
    const { state, result } = await runWorld(plainWorld({ founders, worth }), { generations: 3 });
    expect(state.champion).toBe(state.baseline);
    expect(result).toMatchObject({ verdict: 'cannot tell apart', gain: { mean: 0, p: 1 } });
  });

  test('a population of two still works', async () => {
    const { result, state } = await runWorld(plainWorld({ population: 2 }), { generations: 3 });
    expect(result.stop).toBe('finished');
    expect(state.survivors).toHaveLength(1);
  });
});

describe('the same seed', () => {
  test('gives the same run in whatever order outcomes come', async () => {
    const straight = await runWorld(world, { generations: 4 });
    const shuffled = await runWorld(world, {
      generations: 4,
      order: (specs) => rngAt('order', specs.length).shuffle(specs),
    });
    expect(decisions(shuffled.events)).toEqual(decisions(straight.events));
    expect(outcomes(shuffled.state)).toEqual(outcomes(straight.state));
    expect(shuffled.events.map(line)).not.toEqual(straight.events.map(line));
  });

  test('gives the same run when it is cut at any event and goes on', async () => {
    const whole = await runWorld(world, { generations: 3 });
    for (let cut = 0; cut < whole.events.length; cut += 7) {
      const before = whole.events.slice(0, cut);
      const resumed = await runWorld(world, { generations: 3, before });
      expectSameRun(resumed, whole);
      const known = new Set(tried(before).map((event) => event.trial.id));
      expect([...resumed.runs.keys()].filter((id) => known.has(id))).toEqual([]);
    }
  });

  test('also what a critic is told is written already, when a cut falls between lessons', async () => {
    const prompts = async (before: readonly Event[] = []) => {
      const asked: string[] = [];
      const listening: Llm = async (request) => {
        const [system, user] = request.messages.map(({ content }) => String(content));
        if (system!.startsWith('You criticise')) asked.push(user!);
        return await scriptedModel(request);
      };
      const { events } = await runWorld(plainWorld({ mutator: listening }), { generations: 3, before });
      return { asked, events };
    };
    const whole = await prompts();
    expect(whole.asked.some((prompt) => prompt.includes('## Lessons written already'))).toBe(true);
    for (const [cut, event] of whole.events.entries()) {
      if (event.type !== 'lesson') continue;
      const { asked } = await prompts(whole.events.slice(0, cut + 1));
      expect(asked).toEqual(whole.asked.slice(-asked.length));
    }
  });

  test('also when siblings were proposed alike, and a cut falls between them', async () => {
    // The first answer is the same for all; who is told that it is known would answer otherwise.
    const repetitive: Llm = async ({ messages, seed }) => {
      const value = messages.length > 2 ? 0.01 * ((seed ?? 0) % 100) : 0.1 * Math.min(9, messages.length + 3);
      const content = JSON.stringify({
        edits: [{ op: 'set', path: 'sampling.temperature', value, reason: 'a number for it' }],
      });
      return { message: { role: 'assistant', content }, finish: 'stop', tokensIn: 1, tokensOut: 1 };
    };
    const alike = plainWorld({ mutator: repetitive, population: 16 });
    const whole = await runWorld(alike, { generations: 2 });
    const siblings = whole.events.filter(
      (event) => event.type === 'refused' && /same genome/.test(event.reason),
    );
    expect(siblings.length).toBeGreaterThan(0);
    for (const [cut, event] of whole.events.entries()) {
      if (event.type !== 'refused') continue;
      for (const at of [cut, cut + 1]) {
        expectSameRun(await runWorld(alike, { generations: 2, before: whole.events.slice(0, at) }), whole);
      }
    }
  });

  test('and no trial runs twice', async () => {
    const { runs, state } = await runWorld(world, { generations: 4 });
    expect(Math.max(...runs.values())).toBe(1);
    expect(runs.size).toBe(state.outcomes.size);
  });

  test('gives another run for another seed', async () => {
    const [one, two] = [await runWorld(world, { seed: 1 }), await runWorld(world, { seed: 2 })];
    expect([...one.state.candidates.keys()]).not.toEqual([...two.state.candidates.keys()]);
  });

  test('more generations later are the generations of a longer run, with finals of their own', async () => {
    const short = await runWorld(world, { generations: 2 });
    const extended = await runWorld(world, { generations: 4, before: short.events });
    const long = await runWorld(world, { generations: 4 });
    expect([...extended.state.candidates]).toEqual([...long.state.candidates]);
    // Claims are numbered over the life of a run, and its sealed tasks are opened once.
    const { champion, stop, generations } = long.result;
    expect(extended.result).toMatchObject({ stop, generations, champion: { id: champion!.id } });
    expect(extended.result.sealedFor).toBe(short.state.champion);
    expect(short.state.champion).not.toBe(champion!.id);
    const finals = (journal: Journal) =>
      new Set(
        tried(journal.events)
          .filter(({ trial }) => trial.role === 'search' && trial.repeat >= 1000)
          .map(({ trial }) => trial.repeat),
      );
    expect([...finals(short)].filter((repeat) => finals(long).has(repeat))).toEqual([]);
  });

  test('a finished run does nothing more', async () => {
    const whole = await runWorld(world, { generations: 2 });
    const again = await runWorld(world, { generations: 2, before: whole.events });
    expect(again.events).toEqual(whole.events);
    expect(again.result).toEqual(whole.result);
  });
});

describe('what goes wrong outside', () => {
  test('a lost trial is missing data, not a score of 0', async () => {
    const loses = (spec: TrialSpec) =>
      spec.role === 'search' && spec.repeat === 0 && spec.task === 'search-2';
    const { state, result } = await runWorld(world, { generations: 1, loses });
    const founder = state.estimates.get(state.baseline)!;
    expect(founder.n).toBe(5);
    expect(result.stop).toBe('finished');
    const whole = await runWorld(world, { generations: 1 });
    const scores = [...whole.state.trials.values()]
      .filter(
        (trial) =>
          trial.genome === state.baseline && trial.repeat === 0 && trial.role === 'search' && !loses(trial),
      )
      .map((trial) => (whole.state.outcomes.get(trial.id) as { score: number }).score);
    expect(founder.score).toBeCloseTo(scores.reduce((a, b) => a + b, 0) / 5, 10);
  });

  test('a verdict does not rest on half the sealed trials: one that is lost stops the run, which can go on', async () => {
    const loses = (spec: TrialSpec) =>
      spec.role === 'sealed' && spec.repeat === 0 && spec.task === 'sealed-2';
    const stopped = await runWorld(world, { generations: 1, loses });
    expect(stopped.result).toMatchObject({ stop: 'infrastructure', verdict: 'not measured' });
    expect(stopped.state.result).toBeNull();
    const resumed = await runWorld(world, { generations: 1, before: stopped.events });
    expectSameRun(resumed, await runWorld(world, { generations: 1 }));
  });

  test('fewer generations than are done are refused', async () => {
    const stopped = await runWorld(world, { generations: 3, loses: (spec) => spec.repeat === 2 });
    await expect(runWorld(world, { generations: 1, before: stopped.events })).rejects.toThrow(/done already/);
  });

  test('when most is lost it stops as infrastructure, and goes on later to the same run', async () => {
    const loses = (spec: TrialSpec) => spec.repeat === 1;
    const stopped = await runWorld(world, { generations: 3, loses });
    expect(stopped.result).toMatchObject({ stop: 'infrastructure', verdict: 'not measured', generations: 1 });
    expect(stopped.state.result).toBeNull();
    const resumed = await runWorld(world, { generations: 3, before: stopped.events });
    expectSameRun(resumed, await runWorld(world, { generations: 3 }));
  });

  test('a budget of trials is kept to the trial, and more budget goes on to the same run', async () => {
    const stopped = await runWorld(world, { generations: 3, parts: { budget: { trials: 100 } } });
    expect(stopped.result.stop).toBe('budget-trials');
    expect(stopped.state.outcomes.size).toBe(100);
    const resumed = await runWorld(world, { generations: 3, before: stopped.events });
    expectSameRun(resumed, await runWorld(world, { generations: 3 }));
  });

  test('a stop is heeded between stages, and the run goes on to the same end', async () => {
    let asked = 0;
    const shouldStop = () => (++asked > 5 ? ('interrupted' as const) : null);
    const stopped = await runWorld(world, { generations: 3, parts: { shouldStop } });
    expect(stopped.result).toMatchObject({ stop: 'interrupted', verdict: 'not measured' });
    const resumed = await runWorld(world, { generations: 3, before: stopped.events });
    expectSameRun(resumed, await runWorld(world, { generations: 3 }));
  });
});

function tried(events: readonly Event[]) {
  return events.flatMap((event) => (event.type === 'tried' ? [event] : []));
}

/** All that is decided, in order: not outcomes, whose order is free, nor plans and stops, which resuming splits. */
function decisions(events: readonly Event[]): string[] {
  const free = ['tried', 'planned', 'stopped'];
  return events.filter((event) => !free.includes(event.type)).map(line);
}

function outcomes(state: State): [string, unknown][] {
  return [...state.outcomes].sort(([a], [b]) => (a < b ? -1 : 1));
}

function expectSameRun(a: Journal, b: Journal): void {
  expect(decisions(a.events)).toEqual(decisions(b.events));
  expect(outcomes(a.state)).toEqual(outcomes(b.state));
  expect(a.result).toEqual(b.result);
}

function line(event: Event): string {
  return JSON.stringify(event);
}
