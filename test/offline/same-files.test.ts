import { join } from 'node:path';
import { expect, test } from 'vitest';
import { localEvaluator } from '../../src/evaluation/local.ts';
import { trialSpec } from '../../src/evaluation/trial.ts';
import type { Genome } from '../../src/genome/genome.ts';
import { genomeId } from '../../src/genome/hash.ts';
import { localRunner } from '../../src/jobs/local/local.ts';
import { offlineLlm } from '../../src/offline/offline-llm.ts';
import { tinyWorld } from '../evaluation/tiny-world.ts';
import { plainGenome } from '../fixtures/genomes.ts';

test('two genomes that make the agent write the same files get the same jobs and the same score', async () => {
  const world = await tinyWorld();
  const runner = localRunner({ cacheDir: null });
  const sampling = { ...plainGenome().sampling, temperature: 0 };
  const genomes = new Map(
    ['Smile.', 'Whistle a tune.'].map((text): [string, Genome] => {
      const genome = plainGenome({ sampling, rules: { mood: { when: 'always', text } } });
      return [genomeId(genome), genome];
    }),
  );
  try {
    const evaluator = localEvaluator({
      concurrency: 1,
      trialsDir: join(world.dir, 'trials'),
      suite: world.suite,
      genomes: (id) => genomes.get(id)!,
      grader: world.grader,
      runner,
      model: 'offline',
      llm: offlineLlm(),
    });
    const task = world.suite.tasks.find(({ role }) => role === 'search')!;
    const specs = [...genomes.keys()].map((id) => trialSpec(1, 'offline', id, task, 0));
    expect(specs[0]!.id).not.toBe(specs[1]!.id);
    const [first, second] = await evaluator.evaluate(specs, () => {});
    await evaluator.close();
    expect(first?.kind).toBe('scored');
    const told = (outcome: typeof first) =>
      outcome?.kind === 'scored' ? [outcome.score, outcome.raw, outcome.jobs] : null;
    expect(told(second)).toEqual(told(first));
  } finally {
    await runner.close();
    world.remove();
  }
});
