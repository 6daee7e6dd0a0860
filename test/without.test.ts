import { describe, expect, test } from 'vitest';
import type { SearchSettings } from '../src/config.ts';
import type { Candidate } from '../src/event.ts';
import type { Llm } from '../src/llm/llm.ts';
import { barriers, bredIn, expectCuts, searched } from './fixtures/searched.ts';
import {
  type Journal,
  plainGenome,
  plainWorld,
  runWorld,
  scriptedModel,
  smallSearch,
} from './fixtures/synthetic-world.ts';

type Left = NonNullable<SearchSettings['without']>;

describe('without memory', () => {
  test('no critic is asked, and no mutator is told of lessons', async () => {
    const { prompts, journal } = await listened(['memory']);
    expect(prompts.some(({ role }) => role === 'critic')).toBe(false);
    expect(prompts.some(({ text }) => text.includes('## Lessons'))).toBe(false);
    expect(journal.state.lessons.size).toBe(0);
    const whole = await listened([]);
    expect(whole.prompts.some(({ role }) => role === 'critic')).toBe(true);
    expect(whole.prompts.some(({ text }) => text.includes('## Lessons'))).toBe(true);
  });
});

describe('without an operator', () => {
  const operators = (journal: Journal) =>
    new Set(
      childrenOf(journal)
        .filter(({ generation }) => generation > 0)
        .map(({ operator }) => operator),
    );

  test('there is no crossover, no typed step, no edit by the model', async () => {
    expect(operators((await listened([])).journal)).toEqual(
      new Set(['crossover', 'mutate-params', 'mutate-text']),
    );
    expect(operators((await listened(['crossover'])).journal)).toEqual(
      new Set(['mutate-params', 'mutate-text']),
    );
    expect(operators((await listened(['typed-steps'])).journal)).toEqual(
      new Set(['crossover', 'mutate-text']),
    );
    expect(operators((await listened(['llm-edits'])).journal)).toEqual(
      new Set(['crossover', 'mutate-params']),
    );
  });

  test('founders are copied by what is left', async () => {
    const copied = async (without: Left) =>
      bredIn((await listened(without)).journal.events, 0)
        .filter(({ operator }) => operator === 'varied-founder')
        .map(({ hypothesis }) => hypothesis.startsWith('A step'));
    expect(new Set(await copied([]))).toEqual(new Set([true, false]));
    expect(new Set(await copied(['llm-edits']))).toEqual(new Set([true]));
    expect(new Set(await copied(['typed-steps']))).toEqual(new Set([false]));
    expect(await copied(['llm-edits', 'typed-steps'])).toEqual([]);
  });

  test('without LLM edits no mutator is asked, for a merge neither', async () => {
    const { prompts } = await listened(['llm-edits']);
    expect(new Set(prompts.map(({ role }) => role))).toEqual(new Set(['critic']));
  });

  test('without typed steps the slot of a refused proposal stays empty', async () => {
    const { journal } = await listened(['typed-steps']);
    const refusals = journal.events.flatMap((event) => (event.type === 'refused' ? [event] : []));
    expect(refusals.length).toBeGreaterThan(3);
    for (const { generation, slot } of refusals) {
      expect(refusals.filter((it) => it.generation === generation && it.slot === slot)).toHaveLength(1);
      expect(bredIn(journal.events, generation).map((candidate) => candidate.slot)).not.toContain(slot);
    }
  });

  test('a chain whose child was refused measures nobody, and goes on', async () => {
    const silent: Llm = async (request) =>
      (request.seed ?? 0) % 2 === 0
        ? { message: { role: 'assistant', content: 'No.' }, finish: 'stop', tokensIn: 1, tokensOut: 1 }
        : await scriptedModel(request);
    const settings = { strategy: 'chain' as const, without: ['typed-steps' as const] };
    const { events, result } = await searched(settings, { generations: 20 }, silent);
    const idle = barriers(events).filter(({ generation }) => bredIn(events, generation).length === 0);
    expect(idle.length).toBeGreaterThan(2);
    for (const { generation, survivors } of idle) {
      expect(survivors).toEqual(barriers(events)[generation - 1]!.survivors);
      const planned = events.filter((event) => event.type === 'planned' && event.generation === generation);
      expect(planned).toEqual([]);
    }
    expect(result.stop).toBe('finished');
  });
});

describe('without tournament', () => {
  /** How often the best survivor is a first parent. */
  const best = ({ events }: Journal) => {
    const survivors = barriers(events).map((event) => event.survivors);
    const children = survivors.slice(1).flatMap((_, i) => bredIn(events, i + 1));
    return (
      children.filter((it) => it.parents[0] === survivors[it.generation - 1]![0]).length / children.length
    );
  };

  test('parents are drawn evenly among the survivors', async () => {
    const [even, drawn] = await Promise.all([
      searched({ without: ['tournament'] }, { generations: 60 }),
      searched({}, { generations: 60 }),
    ]);
    // Of four survivors: 1 / 4, against 1 − (3/4)³.
    expect(best(even!)).toBeCloseTo(0.25, 1);
    expect(best(drawn!)).toBeGreaterThan(0.45);
  });
});

describe('what cannot be is refused', () => {
  test.each<[Partial<SearchSettings>, RegExp]>([
    [{ without: ['crossover', 'llm-edits', 'typed-steps'] }, /leaves no operator to breed with$/],
    [{ strategy: 'chain', without: ['llm-edits', 'typed-steps'] }, /as a chain search has no crossover/],
    [{ strategy: 'random', without: ['llm-edits', 'typed-steps'] }, /as a random search has no crossover/],
  ])('%j', async (settings, message) => {
    await expect(searched(settings, { generations: 2 })).rejects.toThrow(message);
  });

  test('crossover alone, with one founder or one survivor; with two it can be', async () => {
    const search = { ...smallSearch, without: ['llm-edits', 'typed-steps'] satisfies Left };
    const founders = [{ name: 'baseline', genome: plainGenome() }];
    await expect(runWorld(plainWorld({ search, founders }))).rejects.toThrow('crossover alone');
    const one = plainWorld({ search: { ...search, elites: 1 } });
    await expect(runWorld(one)).rejects.toThrow('crossover alone');
    const { state } = await runWorld(plainWorld({ search }));
    expect([...state.candidates.values()].some(({ operator }) => operator === 'crossover')).toBe(true);
  });
});

describe('a search without parts is the same when it is cut at any event', () => {
  test.each<[Left]>([[['memory', 'tournament']], [['typed-steps']], [['llm-edits', 'crossover']]])(
    '%j',
    (without) => expectCuts({ without }, 60),
  );
});

/** A run of the plain world, and what its model was asked, by who it was asked as. */
async function listened(without: Left): Promise<{
  journal: Journal;
  prompts: { role: 'critic' | 'mutator'; text: string }[];
}> {
  const prompts: { role: 'critic' | 'mutator'; text: string }[] = [];
  const mutator: Llm = async (request) => {
    const [system, user] = request.messages.map(({ content }) => String(content));
    prompts.push({ role: system!.startsWith('You criticise') ? 'critic' : 'mutator', text: user! });
    return await scriptedModel(request);
  };
  const settings = without.length > 0 ? { without } : {};
  return { journal: await searched(settings, { generations: 8 }, mutator), prompts };
}

function childrenOf({ state }: Journal): Candidate[] {
  return [...state.candidates.values()];
}
