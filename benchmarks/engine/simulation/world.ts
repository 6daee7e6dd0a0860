import type { Genome } from '../../../src/genome/genome.ts';
import type { Llm } from '../../../src/llm/llm.ts';
import { rngAt } from '../../../src/rng.ts';
import type { Role } from '../../../src/suite/suite.ts';
import { plainGenome } from '../../../test/fixtures/synthetic-world.ts';
import { agentNoise, MEANS, type Noise } from './noise.ts';

/**
 * A world whose truth is known: tasks with levels of their own, rules that help, harm or do nothing, and noise. Tasks
 * and what rules do on each are drawn from `seed`, so that another seed is another suite of the same kind.
 */
export type SimulatedWorld = {
  seed: number;
  tasks: Record<Role, number>;
  /** By rule, named `gene-<index>`: its mean effect over all tasks that could be drawn, in score. */
  effects: readonly number[];
  /** A rule's effect on one task lies evenly within ± this share of itself around its mean. */
  unlike: number;
  /** What settings far from their best cost at most, each; 0 where no setting matters. */
  settings: number;
  noise: Noise;
};

/** As many tasks of each role as the built-in suite has. */
export const usualTasks: Record<Role, number> = { search: 8, validation: 4, sealed: 12 };

/** A world in which no gene matters, with `rules` rules to try. */
export function nullWorld(seed: number, rules = 24): SimulatedWorld {
  const effects = Array.from({ length: rules }, () => 0);
  return { seed, tasks: usualTasks, effects, unlike: 0, settings: 0, noise: agentNoise };
}

/** Eight rules of 5 points up or down, thirty-two around 0 by 2 points, settings of up to 10: nobody is at the end soon. */
export function manyGenes(seed: number): SimulatedWorld {
  const rng = rngAt('many genes', seed);
  const effects = Array.from({ length: 40 }, (_, i) =>
    i < 8 ? (i % 2 ? -0.05 : 0.05) : 0.02 * rng.normal(),
  );
  return { seed, tasks: usualTasks, effects, unlike: 0.5, settings: 0.1, noise: agentNoise };
}

export const founders: { name: string; genome: Genome }[] = [
  { name: 'baseline', genome: plainGenome() },
  { name: 'noted', genome: plainGenome({ memory: { notes: 6, chars: 400, keep_failures: true } }) },
  {
    name: 'slow',
    genome: plainGenome({ rules: { slow: { when: 'start', text: 'Take your time.' } } }),
  },
];

/** The expected score of a genome on a task (its id). */
export function trueMean(world: SimulatedWorld, genome: Genome, task: string): number {
  const level = 0.3 + 0.2 * rngAt(world.seed, 'level', task).next();
  const rules = Object.keys(genome.rules).reduce((sum, id) => sum + effectOn(world, id, task), 0);
  const mean = level + rules - settingsLoss(world, genome);
  return Math.min(MEANS.most, Math.max(MEANS.least, mean));
}

/**
 * What a genome gains over another in the mean over these tasks, in score. `tasks` null: over all tasks that could be
 * drawn; exact where no mean meets its bounds and no setting matters.
 */
export function trueGain(
  world: SimulatedWorld,
  genome: Genome,
  over: Genome,
  tasks: readonly string[] | null,
): number {
  if (tasks === null) return meanEffect(world, genome) - meanEffect(world, over);
  const gains = tasks.map((task) => trueMean(world, genome, task) - trueMean(world, over, task));
  return gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}

/** A mutator that adds one or two of the world's rules, now and then takes one away; and a critic that says little. */
export function mutatorOf(world: SimulatedWorld): Llm {
  return async (request) => {
    const rng = rngAt('simulated mutator', request.seed ?? 0);
    const say = (reply: object) => ({
      message: { role: 'assistant' as const, content: JSON.stringify(reply) },
      finish: 'stop',
      tokensIn: 1,
      tokensOut: 1,
    });
    if (String(request.messages[0]?.content).startsWith('You criticise')) return say({ lessons: [] });
    const drawn = rng.shuffle(world.effects.map((_, i) => i)).slice(0, rng.next() < 0.3 ? 2 : 1);
    const gone = rng.next() < 0.1;
    const edits = drawn.map((i) => ({
      op: gone ? 'remove' : 'set',
      path: `rules.gene-${i}`,
      ...(gone ? {} : { value: { when: 'always', text: `Keep to habit ${i}.` } }),
    }));
    return say({ hypothesis: 'a habit', expects: [], edits });
  };
}

function meanEffect(world: SimulatedWorld, genome: Genome): number {
  return Object.keys(genome.rules).reduce((sum, id) => sum + (world.effects[indexOf(id)] ?? 0), 0);
}

function effectOn(world: SimulatedWorld, rule: string, task: string): number {
  const effect = world.effects[indexOf(rule)] ?? 0;
  if (effect === 0 || world.unlike === 0) return effect;
  const off = 2 * rngAt(world.seed, 'effect', rule, task).next() - 1;
  return effect * (1 + world.unlike * off);
}

function indexOf(rule: string): number {
  return Number(rule.replace('gene-', ''));
}

/** Four settings with a best value each, the loss growing with the square of the distance, up to the whole. */
function settingsLoss({ settings }: SimulatedWorld, { sampling, memory, limits }: Genome): number {
  if (settings === 0) return 0;
  const off = [
    (sampling.temperature - 0.5) / 1.5,
    (sampling.top_p - 0.8) / 0.8,
    (memory.notes - 6) / 6,
    (limits.improve_share - 0.5) / 0.5,
  ];
  return off.reduce((loss, x) => loss + settings * Math.min(1, x * x), 0);
}
