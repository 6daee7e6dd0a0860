import { lines } from '../wrap.ts';
import { attributionRows } from './attribution-text.ts';
import { CLAIM_HEAD, claimRows, creditOf, powerText, untested } from './claims.ts';
import { CLOCK_TITLES, CONTROL_NOTES, CONTROL_TITLES, clockRows, controlRows } from './control.ts';
import {
  change,
  clip,
  comparison,
  count,
  counted,
  gain,
  medals,
  money,
  score,
  span,
  table,
  verdictLine,
} from './format.ts';
import type { Report } from './model.ts';
import { pruningText } from './pruning.ts';
import { racingText } from './racing.ts';
import { sandboxText } from './sandbox.ts';
import { callsText } from './spending.ts';

/** What an indented line holds. */
const BODY = 108;

/** The summary at the end of a run, at most 110 columns; `colour` for a terminal that wants it. */
export function summary(report: Report, colour: boolean): string {
  const bold = (text: string) => (colour ? `\u001b[1m${text}\u001b[0m` : text);
  const sections: [string, string][] = [
    ['', bold(verdictLine(report))],
    ['Champion against baseline', against(report)],
    ['Credit, on validation tasks', credit(report)],
    ['Tasks left out, as unfit', (report.leftOut ?? []).join('\n')],
    ['Control arms', controlled(report)],
    ['Lineages', lineages(report)],
    ['The champion against the baseline, gene by gene', changes(report)],
    ['What carried the gain (of `evolve attribute`; not adjusted for the number of genes)', carried(report)],
    ['Lessons that helped', lessons(report)],
    ['Cost', cost(report)],
    ['Where', where(report)],
  ];
  return sections
    .filter(([, body]) => body !== '')
    .map(([title, body]) => (title ? `${bold(title)}\n${indent(body)}` : body))
    .join('\n\n');
}

/** One line on how the run stands: for compare, and for runs that were stopped. */
export function stopLine(report: Report): string {
  const done = counted(report.generations, 'generation');
  const why = report.lostTo === null ? '' : `; most often: ${clip(report.lostTo, 160)}`;
  const words: Record<Report['stop'], string> = {
    finished: `finished after ${done}`,
    'budget-trials': `stopped after ${done}: the budget of trials is spent`,
    'budget-usd': `stopped after ${done}: what is left of the budget does not pay for another call`,
    'budget-tokens': `stopped after ${done}: what is left of the tokens does not suffice for another call`,
    'max-time': `stopped after ${done}: the time is up`,
    interrupted: `interrupted after ${done}`,
    // Why it was given up, where it was, is said behind this.
    infrastructure: `stopped after ${done}: too many trials were lost to faults of the infrastructure, or it was given up${why}`,
    refused: `stopped after ${done}: no call of a model can succeed until something is mended`,
  };
  return words[report.stop];
}

function against(report: Report): string {
  const { champion, baseline, near, far, power } = report;
  if (!champion) return 'no candidate is measured yet';
  if (report.stop !== 'finished') return soFar(report);
  const rows = [
    ['mean score on', 'baseline', 'champion', 'gain'],
    comparison('search tasks', baseline.search, champion.search),
    comparison('validation tasks', baseline.validation, champion.validation),
    comparison('sealed tasks', baseline.sealed, champion.sealed),
  ];
  if (near) rows.push(comparison(`  near (${near.tasks})`, near.baseline, near.champion));
  if (far) rows.push(comparison(`  far (${far.tasks})`, far.baseline, far.champion));
  const said = [table(rows), `champion ${champion.id}, lineage ${champion.lineage}, ${creditOf(report)}`];
  if (report.verdict === 'cannot tell apart' && power) said.push(...lines(powerText(power), BODY));
  return said.join('\n');
}

/** Of a run that was stopped: raw means of candidates are over different trials, only paired differences compare. */
export function soFar({ champion, lineages: rows }: Report): string {
  const best = rows.map((row) => row.best).find((row) => row?.id === champion?.id);
  const believed = best
    ? `: ${gain(best.gain)} ± ${score(best.error)} on search tasks, as the search believes`
    : '';
  return `best so far ${champion?.id}, lineage ${champion?.lineage}${believed}`;
}

function credit(report: Report): string {
  if (report.stop !== 'finished') return '';
  const rows = claimRows(report, 30);
  const tested = rows.length === 0 ? [] : [table([CLAIM_HEAD, ...rows], [0, 1, 6])];
  return [...tested, ...untested(report).flatMap((part) => lines(part, BODY))].join('\n');
}

function controlled({ control }: Report): string {
  if (!control) return '';
  const tables = [
    table([CONTROL_TITLES, ...controlRows(control)]),
    table([CLOCK_TITLES, ...clockRows(control)]),
  ];
  return [...tables, ...CONTROL_NOTES].join('\n');
}

function lineages(report: Report): string {
  const head = ['founder', 'size', 'gain', '± error', 'score', 'medals', 'changed since its founder'];
  const rows = report.lineages.map((row) => [
    row.founder,
    String(row.size),
    gain(row.best?.gain),
    score(row.best?.error),
    score(row.best?.score),
    row.best ? medals(row.best.medals) : '–',
    clip(row.changes.map((item) => item.path).join(', ') || 'nothing', 44),
  ]);
  return table([head, ...rows], [0, 5, 6]);
}

function changes(report: Report): string {
  if (!report.champion) return '';
  if (report.champion.id === report.baseline.id) return 'nothing: the baseline itself is the champion';
  return report.changes.map((item) => change(item, 44)).join('\n');
}

function carried({ attribution }: Report): string {
  return attribution
    ? table([['effect', '95% interval', 'active', ''], ...attributionRows(attribution, 40)], [3])
    : '';
}

function lessons({ lessons: { written, retired, helped } }: Report): string {
  const head = `${written} written, ${retired} retired as harmful`;
  const rows = helped.slice(0, 5).map((row) => {
    const worth = `${gain(row.gain)} over ${counted(row.bred, 'child', 'children')}: `;
    const where = ` (${row.lineage}${row.inChampion ? '; in the champion' : ''})`;
    return `${worth}${clip(row.advice, Math.max(30, BODY - worth.length - where.length))}${where}`;
  });
  return [head, ...rows].join('\n');
}

function cost({ trials, jobs, sandbox, pruning, racing, cost: spent, models, wallMs }: Report): string {
  const said = [
    `trials  ${count(trials.run)} run, ${count(trials.cached)} known already, ${trials.lost} lost`,
  ];
  if (sandbox.length > 0) said.push(`sandbox ${sandboxText(sandbox)}`);
  if (jobs) {
    const share = jobs.run + jobs.hits === 0 ? 0 : Math.round((100 * jobs.hits) / (jobs.run + jobs.hits));
    said.push(`jobs    ${count(jobs.run)} run, ${count(jobs.hits)} from the cache (${share}%)`);
  }
  if (racing) said.push(`racing  saved ${racingText(racing)}`);
  if (pruning) said.push(`        ${pruningText(pruning)}`);
  const tokens = `${count(spent.tokensIn)} tokens in, ${count(spent.tokensOut)} out`;
  said.push(`model   ${tokens}, ${money(spent.usd)}`);
  if (models.spending) said.push(`        ${callsText(models)}`);
  said.push(`time    ${span(wallMs)}`);
  return said.join('\n');
}

function where({ run, champion }: Report): string {
  const rows = [
    ['report', `${run}/report.md`],
    ['lessons', `${run}/memory.md`],
    ['journal', `${run}/journal.jsonl`],
  ];
  if (champion) rows.unshift(['champion', `${run}/genomes/${champion.id}/`]);
  return table(rows, [0, 1]);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
