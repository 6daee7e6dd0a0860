import type { GeneChange } from '../event.ts';
import { tInterval } from '../statistics/interval.ts';

/** Two genomes on the same task, repeat and seed. */
export type Pair = {
  task: string;
  /** Score of the one − score of the other, in [−1, 1]. */
  difference: number;
  /** Whether one of the genes that differ did anything; null where nobody noted it. */
  active: boolean | null;
};

/**
 * A mean difference over task means, in [−1, 1], null without a pair. The interval is Student's t over the task means,
 * as trials on one task are not independent of each other (Miller, arXiv 2411.00640).
 */
export type Effect = { mean: number | null; ci95: [number, number]; tasks: number; pairs: number };

/** Genes of the champion that were put back together, by themselves: usually one. */
export type GeneEffect = {
  /** From the baseline to the champion. */
  genes: GeneChange[];
  /** The genome's id that is the champion with these genes as the baseline has them. */
  without: string;
  /** Champion − that genome: above 0 where the genes help. */
  effect: Effect;
  /** Share of the pairs in which one of the genes did anything; null where nobody noted it. */
  active: number | null;
};

/**
 * What `evolve attribute` found: attribution.json. Descriptive: every interval stands for itself, no level is shared
 * out among them, and no credit comes of it.
 */
export type Attribution = {
  version: 1;
  champion: string;
  baseline: string;
  suiteHash: string;
  model: string;
  seed: number;
  /** Of each task, all after the run's own. */
  repeats: number;
  tasks: { search: number; validation: number };
  /** `lost` are missing from the effects. */
  trials: { planned: number; lost: number };
  /** Champion − baseline on the same trials: all genes together. */
  total: Effect;
  /** The greatest effect first. */
  genes: GeneEffect[];
};

/** The effect over pairs, each task weighing alike. */
export function effectOf(pairs: readonly Pair[]): Effect {
  const byTask = new Map<string, number[]>();
  for (const { task, difference } of pairs) byTask.set(task, [...(byTask.get(task) ?? []), difference]);
  const means = [...byTask.values()].map(meanOf);
  const mean = means.length === 0 ? null : meanOf(means);
  return { mean, ci95: tInterval(means), tasks: means.length, pairs: pairs.length };
}

/** The share of pairs in which a gene did anything, of those of which that is known; null where it is of none. */
export function activeShare(pairs: readonly Pair[]): number | null {
  const known = pairs.filter(({ active }) => active !== null);
  return known.length === 0 ? null : known.filter(({ active }) => active).length / known.length;
}

/** The greatest effect first; what was not measured last; by path where effects are equal. */
export function byEffect(a: GeneEffect, b: GeneEffect): number {
  const [first, second] = [a, b].map(({ effect }) => effect.mean ?? Number.NEGATIVE_INFINITY);
  if (first !== second) return second! > first! ? 1 : -1;
  return a.genes[0]!.path < b.genes[0]!.path ? -1 : 1;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
