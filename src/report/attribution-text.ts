import type { Attribution, Effect, GeneEffect } from './attribution.ts';
import { change, clip, count, counted, gain } from './format.ts';

/** Titles of the columns of `attributionRows`. */
export const ATTRIBUTION_TITLES = ['effect', '95% interval', 'active', 'gene, baseline → champion'];

/** A row a group of genes, the greatest effect first, then all of them together. `width` bounds a gene's values. */
export function attributionRows({ genes, total }: Attribution, width: number): string[][] {
  return [
    ...genes.map((row) => [gain(row.effect.mean), interval(row.effect), share(row), named(row, width)]),
    [gain(total.mean), interval(total), '', 'all of them: champion − baseline'],
  ];
}

/** What the figures are, and what they are not. */
export function attributionNotes({ repeats, tasks, trials, genes, total }: Attribution): string[] {
  const sum = genes.reduce((all, { effect }) => all + (effect.mean ?? 0), 0);
  const validation = tasks.validation > 0 ? ` and ${tasks.validation} validation` : '';
  return [
    `Effect: the champion − the champion with that gene as the baseline has it, on ${tasks.search} search${validation} tasks, ${counted(repeats, 'fresh repeat')} each (${counted(trials.planned, 'trial')}${trials.lost > 0 ? `, ${count(trials.lost)} of them lost` : ''}).`,
    'Descriptive: intervals are over task means, each for itself and not adjusted for their number; nothing is credited by them.',
    ...(genes.length > 1 && total.mean !== null
      ? [
          `Genes interact: alone they come to ${gain(sum)}, together to ${gain(total.mean)}. Genes that do the same stand in for each other, and each then shows little.`,
        ]
      : []),
    ...(genes.some(({ active }) => active !== null)
      ? ['Active: the share of trials in which the gene did anything.']
      : []),
  ];
}

/** `−0.012 to +0.034`; a single task tells nothing. */
export function interval({ ci95: [low, high], tasks }: Effect): string {
  return tasks < 2 ? '–' : `${gain(low)} to ${gain(high)}`;
}

function share({ active }: GeneEffect): string {
  return active === null ? '–' : `${Math.round(100 * active)}%`;
}

function named({ genes }: GeneEffect, width: number): string {
  return clip(genes.map((item) => change(item, width)).join('; and '), 3 * width);
}
