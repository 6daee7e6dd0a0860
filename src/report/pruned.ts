import type { GeneChange } from '../event.ts';
import type { Step } from '../selection/take-out.ts';
import { lines } from '../wrap.ts';
import type { Effect, GeneEffect } from './attribution.ts';
import { interval } from './attribution-text.ts';
import { change, clip, counted, gain, table } from './format.ts';

/** What `evolve prune` found: pruned.json. Differences of scores are in [−1, 1]. */
export type Pruned = {
  version: 1;
  champion: string;
  baseline: string;
  /** Id of the genome that is left; the champion's own where no gene could go. */
  genome: string;
  margin: number;
  repeats: number;
  /** What was tried, in that order; all that is not out at the end stays, also where a step took it out. */
  steps: Step[];
  out: GeneEffect[];
  kept: GeneEffect[];
  /**
   * What was out − champion on repeats that no step and no other check has seen. The last one stands for the genome that
   * is left, unless nothing is out; before it those that were worse by more than the margin.
   */
  checks: (Effect & { paths: string[]; repeats: number })[];
};

/** The result for people, sentences on lines of at most 110 columns; `where` is the genome's folder. */
export function prunedText(found: Pruned, where: string): string {
  const { champion, genome, out, kept } = found;
  const rows = (genes: readonly GeneEffect[]) =>
    genes.map(({ genes: changes, effect }) => [gain(effect.mean), interval(effect), named(changes)]);
  const head = ['effect alone', '95% interval', 'gene, baseline → champion'];
  const section = (title: string, genes: readonly GeneEffect[]) =>
    genes.length === 0 ? [] : [title, table([head, ...rows(genes)], [2]), ''];
  const all = out.length + kept.length;
  return [
    out.length === 0
      ? `No gene of the champion ${champion} can go by this measurement: all ${all} stay.`
      : `${out.length} of the ${counted(all, 'change')} of the champion ${champion} ${out.length === 1 ? 'is' : 'are'} taken out; what is left is ${genome}.`,
    '',
    ...section('Taken out: as in the baseline again', out),
    ...section('Kept', kept),
    ...checkLines(found).flatMap((line) => lines(line, 110)),
    'Its score on sealed tasks was not measured: they are opened once, for the champion.',
    `The genome: ${where}`,
  ].join('\n');
}

function checkLines({ checks, out, margin }: Pruned): string[] {
  const failed = out.length === 0 ? checks : checks.slice(0, -1);
  const lines = failed.map(
    (check) =>
      `With ${check.paths.length} out it was worse by more than the margin: ${against(check)}; so the last went back.`,
  );
  const last = out.length === 0 ? undefined : checks.at(-1);
  if (last === undefined) return lines;
  const lowest = last.ci95[0];
  const words =
    last.tasks < 2
      ? 'a single task does not say how sure that is'
      : lowest >= -margin
        ? `it is not worse by more than the margin of ${margin}`
        : `that it is not worse by more than the margin of ${margin} is not shown: it may be worse by up to ${(-lowest).toFixed(3)}`;
  const chosen = failed.length > 0 ? ' It was checked after others had failed, so it flatters a little.' : '';
  return [...lines, `Pruned − champion: ${against(last)}; ${words}.${chosen}`];
}

function against(check: Pruned['checks'][number]): string {
  const { mean, repeats, tasks } = check;
  return `${gain(mean)} (95% ${interval(check)}) on ${counted(repeats, 'fresh repeat')} of ${counted(tasks, 'task')}`;
}

function named(changes: readonly GeneChange[]): string {
  return clip(changes.map((item) => change(item, 40)).join('; and '), 120);
}
