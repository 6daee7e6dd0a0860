import { describe, expect, test } from 'vitest';
import type { Llm } from '../src/llm/llm.ts';
import { barriers, bredIn, expectCuts, planned, searched, tried } from './fixtures/searched.ts';
import {
  plainWorld,
  type RunOptions,
  scriptedModel,
  smallSearch,
  trueGain,
} from './fixtures/synthetic-world.ts';

const TASKS = 6;

describe('a chain', () => {
  const run = (options: RunOptions = {}) => searched({ strategy: 'chain' }, { generations: 14, ...options });

  test('meets all founders once, then breeds one child a generation from the incumbent', async () => {
    const { events } = await run();
    expect(bredIn(events, 0).map(({ operator }) => operator)).toEqual(['founder', 'founder', 'founder']);
    const kept = barriers(events).map(({ survivors }) => survivors);
    for (let generation = 1; generation < kept.length; generation++) {
      const bred = bredIn(events, generation);
      expect(bred).toHaveLength(1);
      expect(kept[generation - 1]).toHaveLength(1);
      expect(bred[0]!.parents).toEqual(kept[generation - 1]);
    }
  });

  test('measures incumbent and child on all tasks of a fresh repeat, and no baseline', async () => {
    const { events, state } = await run();
    const kept = barriers(events).map(({ survivors }) => survivors[0]!);
    for (let generation = 1; generation < kept.length; generation++) {
      const trials = tried(events).filter((it) => it.generation === generation && it.trial.repeat < 1e6);
      const genomes = new Set(trials.map(({ trial }) => trial.genome));
      expect(genomes).toEqual(new Set([kept[generation - 1], bredIn(events, generation)[0]!.id]));
      expect(trials).toHaveLength(2 * TASKS);
    }
    expect(kept.slice(3)).not.toContain(state.baseline);
    expect(events.some(({ type }) => type === 'dropped')).toBe(false);
  });

  test('keeps a child that did better than the incumbent there, and no other', async () => {
    const { events } = await run();
    const kept = barriers(events).map(({ survivors }) => survivors[0]!);
    const scores = (generation: number, genome: string) =>
      tried(events)
        .filter((it) => it.generation === generation && it.trial.genome === genome)
        .reduce((sum, { outcome }) => sum + (outcome.kind === 'scored' ? outcome.score : 0), 0);
    const turns = kept.slice(1).map((after, i) => {
      const [before, child] = [kept[i]!, bredIn(events, i + 1)[0]!.id];
      const better = scores(i + 1, child) > scores(i + 1, before);
      expect(after).toBe(better ? child : before);
      return better;
    });
    expect(new Set(turns)).toEqual(new Set([true, false]));
  });

  test('believes of a child what it believes of the incumbent, and the shrunk difference between them', async () => {
    const { events } = await run();
    const all = barriers(events);
    for (let generation = 1; generation < all.length; generation++) {
      const incumbent = all[generation - 1]!.survivors[0]!;
      const before = all[generation - 1]!.estimates[incumbent]!;
      const child = all[generation]!.estimates[bredIn(events, generation)[0]!.id]!;
      expect(all[generation]!.estimates[incumbent]).toEqual(before);
      expect(child.shrunk).toBeCloseTo(before.shrunk + child.sum / (child.n + 3), 12);
      expect(child.error).toBeGreaterThan(before.error);
    }
  });

  test('sends its latest incumbents to the finals, and finds something', async () => {
    const { events, state, result } = await run({ generations: 30 });
    const latest = [...new Set(barriers(events).map(({ survivors }) => survivors[0]!))].reverse();
    const finals = new Set(planned(events, 'finals').map((id) => state.trials.get(id)!.genome));
    expect(latest.length).toBeGreaterThan(smallSearch.finalists);
    expect(finals).toEqual(new Set([state.baseline, ...latest.slice(0, smallSearch.finalists)]));
    expect(result.stop).toBe('finished');
    expect(trueGain(plainWorld(), state.champion!, 'sealed')).toBeGreaterThan(0.1);
  });

  test('learns from its child against the incumbent, and tells nobody of a baseline that was not run', async () => {
    const asked: { critic: string[]; mutator: string[] } = { critic: [], mutator: [] };
    const mutator: Llm = async (request) => {
      const [system, user] = request.messages.map(({ content }) => String(content));
      asked[system!.startsWith('You criticise') ? 'critic' : 'mutator'].push(`${system}\n${user}`);
      return await scriptedModel(request);
    };
    const { state } = await searched({ strategy: 'chain' }, { generations: 8 }, mutator);
    expect(state.lessons.size).toBeGreaterThan(0);
    const bred = asked.critic.filter((prompt) => prompt.includes('the harness it was bred from'));
    expect(bred.length).toBeGreaterThan(3);
    expect(bred.some((prompt) => prompt.includes('baseline harness'))).toBe(false);
    expect(asked.mutator.length).toBeGreaterThan(0);
    for (const prompt of asked.mutator) {
      expect(prompt).toMatch(/search-0 \| .* \| not run \| - \| \d/);
      expect(prompt).toMatch(/## Where it did (badly|well): search-\d, score [\d.]+\n/);
    }
  });

  test('is the same chain when it is cut at any event', () => expectCuts({ strategy: 'chain' }, 9));
});

describe('a random search', () => {
  const run = (options: RunOptions = {}) => searched({ strategy: 'random' }, { generations: 8, ...options });

  test('fills every slot with a child, and measures each once, on all tasks, beside the baseline', async () => {
    const { events, state } = await run();
    for (let generation = 1; generation < 8; generation++) {
      const bred = bredIn(events, generation);
      expect(bred).toHaveLength(10);
      const trials = tried(events).filter((it) => it.generation === generation && it.trial.repeat < 1e6);
      expect(trials).toHaveLength(11 * TASKS);
      expect(new Set(trials.map(({ trial }) => trial.genome))).toEqual(
        new Set([state.baseline, ...bred.map(({ id }) => id)]),
      );
    }
    expect(state.dropped.size).toBe(0);
  });

  test('draws parents evenly from all that were bred, and mutates them', async () => {
    const { events } = await run({ generations: 30 });
    const children = events.flatMap((event) => (event.type === 'bred' ? [event.candidate] : []));
    const later = children.filter(({ generation }) => generation > 0);
    expect(later.every(({ parents }) => parents.length === 1)).toBe(true);
    expect(new Set(later.map(({ operator }) => operator))).toEqual(new Set(['mutate-params', 'mutate-text']));
    const byId = new Map(children.map((candidate) => [candidate.id, candidate]));
    // The place of an even draw among those of earlier generations is one half in the mean.
    const places = later.map(({ generation, parents }) => {
      const older = children.filter((candidate) => candidate.generation < generation);
      return older.indexOf(byId.get(parents[0]!)!) / (older.length - 1);
    });
    expect(places.reduce((a, b) => a + b) / places.length).toBeCloseTo(0.5, 1);
    const parents = new Set(later.map((candidate) => candidate.parents[0]));
    expect(parents.size).toBeGreaterThan(later.length / 3);
  });

  test('sends the best by what is believed of them to the finals', async () => {
    const { events, state } = await run();
    const best = [...state.estimates].sort(([, a], [, b]) => b.shrunk - a.shrunk).map(([id]) => id);
    const finals = new Set(planned(events, 'finals').map((id) => state.trials.get(id)!.genome));
    expect(finals).toEqual(new Set([state.baseline, ...best.slice(0, smallSearch.finalists)]));
  });

  test('shows a mutator what the parent did in the one generation in which it was measured', async () => {
    const prompts: string[] = [];
    const mutator: Llm = async (request) => {
      const [system, user] = request.messages.map(({ content }) => String(content));
      if (system!.startsWith('You improve')) prompts.push(user!);
      return await scriptedModel(request);
    };
    await searched({ strategy: 'random' }, { generations: 8 }, mutator);
    const later = prompts.filter((prompt) => prompt.includes('## Scorecard'));
    expect(later.length).toBeGreaterThan(10);
    // Copies of founders are proposed before anything was measured.
    expect(prompts.length - later.length).toBeLessThan(8);
  });

  test('is the same search when it is cut at any event', () => expectCuts({ strategy: 'random' }, 40));
});

describe('without racing', () => {
  test('every newcomer meets all tasks at once', async () => {
    const { events, state } = await searched({ without: ['racing'] }, { generations: 4 });
    expect(state.dropped.size).toBe(0);
    expect(planned(events, 'rest')).toEqual([]);
    const bred = [...state.candidates.values()];
    expect(bred.every(({ id }) => state.estimates.get(id)!.repeats > 0)).toBe(true);
  });

  test('it is the same search when it is cut at any event', () => expectCuts({ without: ['racing'] }, 60));
});
