import { UserError } from '../errors.ts';
import {
  change,
  clip,
  count,
  gain,
  medals,
  money,
  score,
  span,
  table,
  verdictWords,
} from '../report/format.ts';
import type { LineageRow } from '../report/lineages.ts';
import type { Report } from '../report/model.ts';
import { stopLine } from '../report/terminal.ts';
import type { Given } from '../settings.ts';
import { type Context, EXIT } from './context.ts';
import { readReport } from './read-report.ts';

type Side = { name: string; report: Report; lineage: LineageRow | null };

/** `evolve compare RUN…`: runs, or lineages of runs (`RUN#LINEAGE`), side by side. */
export async function compare(names: string[], flags: Given, context: Context): Promise<number> {
  const sides: Side[] = [];
  for (const name of names) sides.push(await readSide(name));
  if (flags.json) context.print(JSON.stringify(sides.map(asJson), null, 2));
  else context.print(table(rowsOf(sides), names.map((_, i) => i).concat(names.length)));
  return EXIT.finished;
}

async function readSide(name: string): Promise<Side> {
  const [folder = '', founder] = name.split('#');
  const { report } = await readReport(folder);
  if (founder === undefined) return { name, report, lineage: null };
  const lineage = report.lineages.find((row) => row.founder === founder);
  if (lineage) return { name, report, lineage };
  const there = report.lineages.map((row) => row.founder).join(', ');
  throw new UserError(`${folder} has no lineage '${founder}'`, `lineages: ${there || 'none yet'}`);
}

function asJson({ name, report, lineage }: Side): unknown {
  if (lineage) return { name, run: report.run, ...lineage };
  const { course: _course, ancestry: _ancestry, tasks: _tasks, ...rest } = report;
  return { name, ...rest };
}

/** One column a side; a row is left out where no side has something to say. */
function rowsOf(sides: readonly Side[]): string[][] {
  const row = (title: string, cell: (side: Side) => string) => [title, ...sides.map(cell)];
  const ofRun = (cell: (report: Report) => string) => (side: Side) => (side.lineage ? '' : cell(side.report));
  const ofLineage = (cell: (lineage: LineageRow) => string) => (side: Side) =>
    side.lineage ? cell(side.lineage) : '';
  const changesOf = ({ report, lineage }: Side) => (lineage ? lineage.changes : report.changes);
  const most = Math.max(0, ...sides.map((side) => changesOf(side).length));
  const rows = [
    row('', ({ name }) => name),
    row('suite', ({ report }) => report.suite),
    row('model', ({ report }) => report.model),
    row('seed', ({ report }) => String(report.seed)),
    row('stop', ofRun(stopLine)),
    row('candidates', ({ report, lineage }) => count(lineage ? lineage.size : report.candidates)),
    row(
      'trials',
      ofRun(({ trials }) => count(trials.run)),
    ),
    row(
      'time',
      ofRun(({ wallMs }) => span(wallMs)),
    ),
    row(
      'money',
      ofRun(({ cost }) => money(cost.usd)),
    ),
    row('verdict', ofRun(verdictWords)),
    row('best', (side) =>
      side.lineage ? (side.lineage.best?.id ?? '–') : (side.report.champion?.id ?? '–'),
    ),
    row('lineage', (side) => (side.lineage ? side.lineage.founder : (side.report.champion?.lineage ?? '–'))),
    row(
      'gain, as the search believes',
      ofLineage(({ best }) => `${gain(best?.gain)} ± ${score(best?.error)}`),
    ),
    row(
      'medals on search tasks',
      ofLineage(({ best }) => (best ? medals(best.medals) : '–')),
    ),
    row(
      'search',
      ofRun(({ baseline, champion }) => arrow(baseline.search, champion?.search)),
    ),
    row(
      'validation',
      ofRun(({ baseline, champion }) => arrow(baseline.validation, champion?.validation)),
    ),
    row(
      'sealed',
      ofRun(({ baseline, champion }) => arrow(baseline.sealed, champion?.sealed)),
    ),
    row(
      'sealed gain',
      ofRun((report) => (report.gain ? interval(report.gain) : '–')),
    ),
    ...Array.from({ length: most }, (_, i) =>
      row(i === 0 ? 'what changed' : '', (side) => {
        const item = changesOf(side)[i];
        return item ? clip(change(item, 24), 56) : '';
      }),
    ),
  ];
  return rows.filter(([, ...cells]) => cells.some((cell) => cell !== ''));
}

function arrow(before: number | null, after: number | null | undefined): string {
  return `${score(before)} → ${score(after)}`;
}

function interval({ mean, ci95, p }: NonNullable<Report['gain']>): string {
  return `${gain(mean)} (${gain(ci95[0])} to ${gain(ci95[1])}), p = ${p.toPrecision(2)}`;
}
