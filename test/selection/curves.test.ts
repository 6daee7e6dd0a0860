import { describe, expect, test } from 'vitest';
import { type Outcome, type TrialSpec, trialSpec } from '../../src/evaluation/trial.ts';
import type { Event } from '../../src/event.ts';
import { type Compared, type Curve, curveOf, type Metric, watchCurve } from '../../src/jobs/curve.ts';
import { rngAt } from '../../src/rng.ts';
import { medianRule } from '../../src/selection/curves.ts';
import type { State } from '../../src/state.ts';
import type { Suite } from '../../src/suite/suite.ts';
import {
  plainWorld,
  type RunOptions,
  runWorld,
  syntheticSuite,
  trueGain,
  type World,
} from '../fixtures/synthetic-world.ts';

const LOSS: Compared = { metric: 'loss', direction: 'min' };
const curve = (...points: [step: number, value: number][]): Curve =>
  points.map(([step, value]) => ({ step, value }));
/** A curve over steps 10, 20 … that ends at `value`. */
const falling = (value: number, points = 4): Curve =>
  curve(
    ...Array.from({ length: points }, (_, i): [number, number] => [10 * (i + 1), value + points - 1 - i]),
  );

describe('the median rule', () => {
  test('has the median of what the curves had by then, the worse one of two, after a quarter of their length', () => {
    const rule = medianRule([falling(1), falling(2), falling(3), falling(4)], LOSS)!;
    expect(rule.limits).toEqual(curve([10, 6], [20, 5], [30, 4], [40, 3]));
    const late = medianRule(
      [1, 2, 3, 4].map((value) => falling(value, 40)),
      LOSS,
    )!;
    expect(late.limits[0]).toEqual({ step: 100, value: 33 });
    const up = medianRule(
      [1, 2, 3, 4].map((value) => curve([40, value])),
      { ...LOSS, direction: 'max' },
    )!;
    expect(up.limits).toEqual(curve([40, 2]));
  });

  test('counts a curve that has ended with its last value, and one that has not begun not at all', () => {
    const curves = [
      curve([10, 1]),
      curve([10, 2]),
      curve([10, 3], [40, 0]),
      curve([10, 9], [40, 8]),
      curve([40, 5]),
    ];
    expect(medianRule(curves, LOSS)!.limits).toEqual(curve([10, 3], [40, 2]));
  });

  test('is none for fewer than four curves', () => {
    expect(medianRule([falling(1), falling(2), falling(3)], LOSS)).toBeNull();
  });

  test('is bounded, and names what it was made from', () => {
    const many = Array.from({ length: 32 }, (_, i) =>
      curve(...Array.from({ length: 32 }, (_, j): [number, number] => [100 + j * 50 + i, 100 - j])),
    );
    const rule = medianRule(many, LOSS)!;
    expect(rule.limits).toHaveLength(64);
    expect(medianRule(many, LOSS)).toEqual(rule);
    expect(medianRule(many.slice(1), LOSS)!.hash).not.toBe(rule.hash);
  });
});

/** Two of the three search tasks compare jobs. */
function comparing(suite: Suite): Suite {
  const compared = ['search-0', 'search-2'];
  const tasks = suite.tasks.map((task) => (compared.includes(task.id) ? { ...task, prune: LOSS } : task));
  return { ...suite, tasks };
}

const POINTS = 20;
const TRAININGS = 5;

/** The loss of a training that ends at `1 - quality`, fast or slow, as it prints it. */
function printed(quality: number, key: (string | number)[]): Metric[] {
  const rng = rngAt('training', ...key);
  const pace = 10 * Math.exp(0.5 * rng.normal());
  return Array.from({ length: POINTS }, (_, i) => {
    const step = 5 * (i + 1);
    return { name: 'loss', step, value: 1 - quality + 2 * (1 + step / pace) ** -1.5 + 0.02 * rng.normal() };
  });
}

/** What trainings took, in points; of trials under a rule, how often the best training was cut, and the score it cost. */
type Took = { whole: number; took: number; trials: number; bestCut: number; missed: number };

/** Trials of several trainings each, their luck the same for all genomes; the best one that is whole counts. */
function trainings(
  world: World,
  took: Took,
  order: NonNullable<RunOptions['order']> = (specs) => [...specs],
) {
  return ({ prune }: State, genomes: ReadonlyMap<string, World['founders'][number]['genome']>) => {
    const outcomeOf = (spec: TrialSpec): Outcome => {
      const worth = world.worth(genomes.get(spec.genome)!, spec.task);
      const rule = prune.get(spec.repeat)?.[spec.task];
      expect(rule?.hash).toBe(spec.curves);
      const luck = rngAt('luck', spec.seed);
      const qualities = Array.from({ length: TRAININGS }, () => worth + 0.1 * luck.normal());
      const cut = qualities.map((quality, i) => {
        const points = printed(quality, [spec.seed, i]);
        const watch = rule && i > 0 ? watchCurve(rule) : () => false;
        const at = points.findIndex((point) => watch(point));
        took.whole += POINTS;
        took.took += at < 0 ? POINTS : at + 1;
        return at >= 0;
      });
      const best = Math.max(...qualities.filter((_, i) => !cut[i]));
      if (rule) took.trials++;
      if (rule && best < Math.max(...qualities)) took.bestCut++;
      if (rule) took.missed += Math.max(...qualities) - best;
      const score = Math.min(1, Math.max(0, best));
      const usage = { tokensIn: 1, tokensOut: 1, usd: 0, turns: 1, jobs: 5, gpuMs: 0 };
      const task = world.suite.tasks.find(({ id }) => id === spec.task)!;
      const whole = task.prune && curveOf(printed(qualities[0]!, [spec.seed, 0]), task.prune);
      const jobs = cut.map((stopped, i) => `${spec.id}-${i}${stopped ? ' stopped' : ''}`);
      return {
        ...{ kind: 'scored', score, raw: score, medal: 'none', aboveMedian: false, usage, jobs },
        ...(whole ? { curve: whole } : {}),
      };
    };
    return {
      async evaluate(specs: readonly TrialSpec[], onOutcome: (spec: TrialSpec, outcome: Outcome) => void) {
        for (const spec of order(specs)) {
          await null;
          onOutcome(spec, outcomeOf(spec));
        }
        return specs.map(outcomeOf);
      },
      close: async () => {},
    };
  };
}

const plain = plainWorld({ suite: syntheticSuite({ search: 3, validation: 1, sealed: 3 }) });
const world = { ...plain, suite: comparing(plain.suite) };
const nothing = (): Took => ({ whole: 0, took: 0, trials: 0, bestCut: 0, missed: 0 });
const run = (options: RunOptions = {}, took = nothing(), order?: RunOptions['order']) =>
  runWorld(world, { generations: 3, ...options, evaluator: trainings(world, took, order) });

/** All that is decided, with outcomes sorted: their order is free. */
function decided(events: readonly Event[]): string[] {
  const lines = (of: (event: Event) => boolean) => events.filter(of).map((event) => JSON.stringify(event));
  const free = ['tried', 'planned', 'stopped'];
  return [
    ...lines((event) => !free.includes(event.type)),
    ...lines((event) => event.type === 'tried').sort(),
  ];
}

describe('a search on tasks that compare jobs', () => {
  test('stops jobs of search trials from the second generation on, and of no other trial', async () => {
    const { state } = await run();
    const trials = [...state.trials.values()];
    const under = trials.filter((trial) => trial.curves !== undefined);
    expect(new Set(under.map(({ task, repeat }) => `${task} in ${repeat}`))).toEqual(
      new Set(['search-0 in 1', 'search-2 in 1', 'search-0 in 2', 'search-2 in 2']),
    );
    for (const task of ['validation-0', 'sealed-0', 'search-0']) {
      expect(
        trials.filter((trial) => trial.task === task && trial.curves === undefined).length,
      ).toBeGreaterThan(1);
    }
    const stopped = [...state.outcomes].filter(([, outcome]) => JSON.stringify(outcome).includes(' stopped'));
    expect(stopped.length).toBeGreaterThan(0);
    for (const [id] of stopped) expect(state.trials.get(id)!.curves).toBeDefined();
  });

  test('names its trials by the curves too, and those without as ever', async () => {
    const { state } = await run();
    for (const { id, genome, task: name, repeat, curves } of state.trials.values()) {
      const task = world.suite.tasks.find((known) => known.id === name)!;
      const bare = trialSpec(1, 'synthetic', genome, task, repeat).id;
      expect(id === bare).toBe(curves === undefined);
    }
  });

  test('freezes the same curves in whatever order outcomes come', async () => {
    const straight = await run();
    const shuffled = await run({}, nothing(), (specs) => rngAt('order', specs.length).shuffle(specs));
    expect(shuffled.events.map((event) => event.type)).toHaveLength(straight.events.length);
    expect(JSON.stringify(shuffled.events)).not.toBe(JSON.stringify(straight.events));
    expect(decided(shuffled.events)).toEqual(decided(straight.events));
    expect([...straight.state.prune.keys()]).toEqual([1, 2, 3]);
  });

  test('is the same search when it is cut anywhere and goes on', async () => {
    const whole = await run();
    for (let cut = 0; cut < whole.events.length; cut += 11) {
      const resumed = await run({ before: whole.events.slice(0, cut) });
      expect(decided(resumed.events)).toEqual(decided(whole.events));
      expect(resumed.result).toEqual(whole.result);
    }
  });

  test('goes by the rule of before where a generation gives too few curves', async () => {
    const evaluator: RunOptions['evaluator'] = (state, genomes) => {
      const { evaluate, close } = trainings(world, nothing())(state, genomes);
      const bare = (outcome: Outcome) => ({ ...outcome, curve: undefined }) as unknown as Outcome;
      return {
        close,
        evaluate: (specs, onOutcome) =>
          evaluate(specs, (spec, outcome) => onOutcome(spec, spec.repeat === 1 ? bare(outcome) : outcome)),
      };
    };
    const { state } = await runWorld(world, { generations: 3, evaluator });
    expect(state.prune.get(2)).toEqual(state.prune.get(1));
    expect(state.prune.get(3)).not.toEqual(state.prune.get(1));
  });
});

test('a suite in which no task compares jobs has nothing of it in its journal', async () => {
  const { events } = await runWorld(plain, { generations: 2 });
  expect(JSON.stringify(events)).not.toMatch(/"(prune|curves?)"/);
});

test('much is saved, and what is found is as good', async ({ annotate }) => {
  const all = (suite: Suite): Suite => ({
    ...suite,
    tasks: suite.tasks.map((task) => (task.role === 'search' ? { ...task, prune: LOSS } : task)),
  });
  const lines = [];
  const sums = { saved: 0, cut: 0, missed: 0, loss: 0 };
  const seeds = [1, 2, 3, 4];
  for (const seed of seeds) {
    const options = { seed, generations: 6 };
    const suite = syntheticSuite({ search: 4, validation: 1, sealed: 3 });
    const [bare, pruned] = [plainWorld({ suite }), plainWorld({ suite: all(suite) })];
    const took = nothing();
    const without = await runWorld(bare, { ...options, evaluator: trainings(bare, nothing()) });
    const under = await runWorld(pruned, { ...options, evaluator: trainings(pruned, took) });
    const [before, after] = [without, under].map(({ result }) =>
      trueGain(bare, result.champion!.id, 'sealed'),
    );
    sums.saved += (1 - took.took / took.whole) / seeds.length;
    sums.cut += took.bestCut / took.trials / seeds.length;
    sums.missed += took.missed / took.trials / seeds.length;
    sums.loss += (before! - after!) / seeds.length;
    lines.push(
      `seed ${seed}: ${took.took} of ${took.whole} points; the champion's true gain ${after!.toFixed(3)}, else ${before!.toFixed(3)}`,
    );
  }
  const figures = `saved ${sums.saved.toFixed(3)}, best training of a trial cut ${sums.cut.toFixed(3)}, which takes ${sums.missed.toFixed(3)} off its score, true gain lost ${sums.loss.toFixed(3)}`;
  await annotate([figures, ...lines].join('\n'));
  expect(sums.saved, figures).toBeGreaterThan(0.1);
  expect(sums.loss, figures).toBeLessThan(0.02);
});
