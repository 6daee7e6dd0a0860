import { gain, table } from '../../../src/report/format.ts';
import { tInterval } from '../../../src/statistics/interval.ts';
import type { ArmResult } from './results.ts';

/**
 * One table: a line an arm, over the seeds that it and the population both have. `chosen` are the arms' results, the
 * population's among them. The interval is Student's t over seeds: the tasks of the suite are taken as they are.
 */
export function armsTable(chosen: readonly ArmResult[], names: readonly string[]): string {
  const head = [
    'arm',
    'seeds',
    'trials',
    'sealed gain',
    'sd',
    'worst',
    'near',
    'far',
    'better',
    'worse',
    'believed',
    'population − arm',
    '95% over seeds',
  ];
  const of = (arm: string) =>
    new Map(chosen.filter((result) => result.arm === arm).map((result) => [result.seed, result]));
  const population = of('population');
  const rows = names.flatMap((arm) => {
    const own = [...of(arm).values()].filter(({ seed }) => population.has(seed));
    if (own.length === 0) return [];
    const gains = own.flatMap((result) => (result.gain === null ? [] : [result.gain.mean]));
    const differences = own.flatMap((result) => {
      const other = population.get(result.seed)?.gain;
      return result.gain && other ? [other.mean - result.gain.mean] : [];
    });
    const believed = own.flatMap((result) => result.believed ?? result.luck ?? []);
    const interval = arm === 'population' ? '–' : tInterval(differences).map(gain).join(' to ');
    return [
      [
        arm,
        String(own.length),
        mean(own.map(({ requested }) => requested)).toFixed(0),
        gain(mean(gains)),
        sd(gains).toFixed(3),
        gain(Math.min(...gains)),
        gain(mean(own.flatMap(({ near }) => near ?? []))),
        gain(mean(own.flatMap(({ far }) => far ?? []))),
        String(own.filter(({ verdict }) => verdict === 'better').length),
        String(own.filter(({ verdict }) => verdict === 'worse').length),
        believed.length === 0 ? '–' : gain(mean(believed)),
        arm === 'population' ? '–' : gain(mean(differences)),
        interval,
      ],
    ];
  });
  return rows.length === 0 ? 'nothing yet' : table([head, ...rows]);
}

/** What the edits of the LLM changed, in shares of all genes that they changed over the seeds; a line an arm that has any. */
export function editsTable(chosen: readonly ArmResult[], names: readonly string[]): string {
  const sections = [...new Set(chosen.flatMap(({ edits = {} }) => Object.keys(edits)))].sort();
  const rows = names.flatMap((arm) => {
    const own = chosen.flatMap((result) => (result.arm === arm && result.edits ? [result.edits] : []));
    const counts = sections.map((section) => own.reduce((sum, edits) => sum + (edits[section] ?? 0), 0));
    const all = counts.reduce((sum, count) => sum + count, 0);
    return all === 0
      ? []
      : [[arm, String(all), ...counts.map((count) => `${Math.round((100 * count) / all)}%`)]];
  });
  return rows.length === 0 ? 'nothing yet' : table([['arm', 'changes', ...sections], ...rows]);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, x) => sum + x, 0) / values.length;
}

function sd(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, x) => sum + (x - middle) ** 2, 0) / Math.max(1, values.length - 1));
}
