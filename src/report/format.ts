import type { GeneChange, Result } from '../event.ts';
import { LEAST_SEALED } from '../selection/verdict.ts';
import type { Role } from '../suite/suite.ts';
import type { Medals } from './trials.ts';

/** A score or a size in [0, 1] with three decimals; `–` where there is none. */
export function score(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}

/** A difference with its sign: `+0.120`. */
export function gain(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
}

/** Dollars and cents. */
export function money(usd: number): string {
  return `$${usd.toFixed(2)}`;
}

/** A span of time: `340 ms`, `12 s`, `4 min 10 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** A count of a forecast, to two digits: it knows no more. */
export function rough(value: number): string {
  return count(Number(value.toPrecision(2)));
}

/** Dollars of a forecast: with cents, or more digits for what is less than one. */
export function dollars(usd: number): string {
  return usd >= 1 || usd === 0 ? usd.toFixed(2) : usd.toPrecision(2);
}

/** A whole number with thin groups: `12,345`. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** A count with what is counted: `1 trial`, `2,000 trials`; `many` where that is not the noun with an s. */
export function counted(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}

/** `2 gold, 1 bronze of 40`. */
export function medals({ gold, silver, bronze, trials }: Medals): string {
  const parts = Object.entries({ gold, silver, bronze }).filter(([, n]) => n > 0);
  return `${parts.map(([name, n]) => `${n} ${name}`).join(', ') || 'none'} of ${trials}`;
}

/** A gene that differs: `sampling.temperature: 1 → 0.6`. */
export function change({ path, before, after }: GeneChange, width = 200): string {
  if (before === null) return `${path}: new: ${clip(after ?? '', width)}`;
  if (after === null) return `${path}: dropped (was: ${clip(before, width)})`;
  return `${path}: ${clip(before, width)} → ${clip(after, width)}`;
}

/** One line of at most `width` characters. */
export function clip(text: string, width: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** How a run ended; `tasks` tells on how many sealed ones its verdict rests. */
type Ended = Result & { tasks?: readonly { role: Role }[] };

/** The verdict in a sentence. */
export function verdictLine(result: Ended): string {
  const { verdict, gain: sealed, stop, sealedFor } = result;
  // Without a generation it was plain sampling, which compares draws of the baseline.
  const drawn = result.generations === 0;
  if (isBaseline(result))
    return 'The search believes nothing to be better than the baseline, which is its champion: nothing to compare.';
  if (verdict === 'no sealed tasks') return 'No verdict: the suite has no sealed tasks.';
  if (sealedFor !== undefined) {
    return `No verdict: the sealed tasks were opened for ${sealedFor}, before the run was extended; no other champion meets them.`;
  }
  if (verdict === 'not measured' || !sealed)
    return `No verdict yet: the run stopped before its end (${stop}).`;
  const [low, high] = sealed.ci95;
  const p = sealed.p < 0.001 ? sealed.p.toExponential(1) : sealed.p.toFixed(3);
  const within = `(95% ${gain(low)} to ${gain(high)}, p = ${p})`;
  if (verdict === 'cannot tell apart' && sealedTasks(result) < LEAST_SEALED)
    return `${noVerdictWith(sealedTasks(result))}: gain ${gain(sealed.mean)} ${within}.`;
  const words = {
    better: `${drawn ? 'The best of several draws' : 'The champion'} is better than the baseline`,
    worse: `${drawn ? 'The best of several draws' : 'The champion'} is worse than the baseline`,
    'cannot tell apart': `${drawn ? 'The best of several draws' : 'Champion'} and baseline cannot be told apart`,
  }[verdict];
  return `${words}: ${gain(sealed.mean)} on sealed tasks ${within}.`;
}

/** The verdict in a word or three, for a table. */
export function verdictWords(result: Ended): string {
  if (isBaseline(result)) return 'nothing to compare';
  const { verdict } = result;
  return verdict === 'cannot tell apart' && sealedTasks(result) < LEAST_SEALED ? 'none possible' : verdict;
}

/** Did a search believe nothing to be better than the baseline? */
function isBaseline({ stop, champion, baseline, generations }: Ended): boolean {
  return stop === 'finished' && champion?.id === baseline.id && generations > 0;
}

function sealedTasks({ tasks }: Ended): number {
  return tasks?.filter(({ role }) => role === 'sealed').length ?? LEAST_SEALED;
}

/** That so few sealed tasks allow no verdict. */
export function noVerdictWith(tasks: number): string {
  return `No verdict possible with ${counted(tasks, 'sealed task')} (at least ${LEAST_SEALED} needed)`;
}

/** Relative gain on top of the baseline's score: ` (+31%)`, or nothing where the baseline is 0. */
export function percent(champion: number | null, baseline: number | null): string {
  if (champion === null || baseline === null || baseline <= 0) return '';
  const share = Math.round(100 * (champion / baseline - 1));
  return ` (${share < 0 ? '−' : '+'}${Math.abs(share)}%)`;
}

/** A table of plain text with aligned columns; the columns in `left` stand left, others right. */
export function table(rows: readonly (readonly string[])[], left: readonly number[] = [0]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => row[i]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (left.includes(i) ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A row that sets a mean score of the champion (`after`) against the baseline's (`before`); null where not measured. */
export function comparison(name: string, before: number | null, after: number | null): string[] {
  const difference =
    before === null || after === null ? '–' : `${gain(after - before)}${percent(after, before)}`;
  return [name, score(before), score(after), difference];
}
