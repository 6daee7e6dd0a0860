import { ATTRIBUTION_TITLES, attributionNotes, attributionRows } from './attribution-text.ts';
import { CLAIM_HEAD, claimRows, creditOf, partText, powerText, untested } from './claims.ts';
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
  verdictLine,
} from './format.ts';
import type { GenerationRow, Report } from './model.ts';
import { pruningText } from './pruning.ts';
import { racingText } from './racing.ts';
import { sandboxText } from './sandbox.ts';
import { callsText, foresightText } from './spending.ts';
import { soFar, stopLine } from './terminal.ts';
import type { TaskRow } from './trials.ts';

/** report.md: everything that the summary says, and the tables behind it. */
export function markdown(report: Report): string {
  const sections = [
    `# ${text(report.run)}`,
    `**${text(verdictLine(report))}**`,
    about(report),
    against(report),
    section('Credit, on validation tasks', credit(report)),
    section('Control arms', controlled(report)),
    section('Lineages', lineages(report)),
    section('The champion against the baseline, gene by gene', changes(report)),
    section('What carried the gain', carried(report)),
    section("The champion's ancestry", ancestry(report)),
    section('Lessons that helped', lessons(report)),
    section('Operators', operators(report)),
    section('The course of the search', course(report.course)),
    section('Task by task', tasks(report.tasks)),
    section('Models', models(report)),
    section('Cost', cost(report)),
    section('Where everything is', where(report)),
    section('How to read this', HOW),
  ];
  return `${sections.filter((part) => part !== '').join('\n\n')}\n`;
}

const HOW = `A score is the share of a task's leaderboard that a submission beats, in [0, 1]. A gain is champion − baseline
on the same tasks, repeats and seeds. Gains in the tables of lineages and of the course are what the search
believed: mean differences on search tasks, shrunk by their uncertainty. The search chose by them, so they
flatter; only the sealed tasks, which nothing in the search could read, say what a gain is worth. The interval and
p are over the means of the sealed tasks; p is from the exact two-sided sign-flip test. A verdict takes p below 0.025,
as the claims of a run may take as much, so an interval of 95% that just leaves 0 out can go with no verdict.`;

const CREDIT = `A claim is named before its data exist and tested on fresh repeats of its own. Evidence is an e-process (betting; it may
be looked at at any time), credited when it reaches what e-LOND asks for, so that among credited claims at most 2.5% are
false on average. Intervals of credited claims are adjusted for the choice (e-BY), and so wide that one may hold 0 although
its claim is credited. What was not tested is not known to help, whatever the search believed.`;

function about(report: Report): string {
  const { suite, model, seed, population, candidates, refused, leftOut = [] } = report;
  const unfit = leftOut.map((line) => `\n- left out of the suite, as unfit: ${text(line)}`).join('');
  return `Suite ${text(suite)}, model ${text(model)}, seed ${seed}, population ${population}; ${stopLine(report)};
${counted(candidates, 'candidate')}, ${counted(refused, 'proposal')} refused.${unfit && `\n${unfit}`}`;
}

function against(report: Report): string {
  const { champion, baseline, near, far, gain: sealed, power } = report;
  if (!champion) return '';
  if (report.stop !== 'finished') return section('Champion against baseline', text(soFar(report)));
  const rows = [
    comparison('search', baseline.search, champion.search),
    comparison('validation', baseline.validation, champion.validation),
    comparison('sealed', baseline.sealed, champion.sealed),
  ];
  if (near) rows.push(comparison(`sealed, near (${near.tasks})`, near.baseline, near.champion));
  if (far) rows.push(comparison(`sealed, far (${far.tasks})`, far.baseline, far.champion));
  const apart = [near && ` Near: ${partText(near)}.`, far && ` Far: ${partText(far)}.`]
    .filter((part) => part !== null)
    .join('');
  // Without power there was nothing to find: the champion is the baseline.
  const interval =
    sealed && power
      ? `\n\nSealed gain ${gain(sealed.mean)}, 95% interval ${gain(sealed.ci95[0])} to ${gain(sealed.ci95[1])}, p = ${sealed.p.toPrecision(2)}.${apart} What this could find: ${powerText(power)}.`
      : '';
  const named = `Champion \`${champion.id}\` of lineage ${text(champion.lineage)}, ${creditOf(report)}${champion.credited ? ' on the validation tasks' : ''}; baseline \`${baseline.id}\`.`;
  return `${section('Champion against baseline', table(['tasks', 'baseline', 'champion', 'gain'], rows))}\n\n${named}${interval}`;
}

function credit(report: Report): string {
  if (report.stop !== 'finished') return '';
  const rest = untested(report).join('; ');
  const rows = claimRows(report, 80);
  const tested = rows.length === 0 ? '' : `${table(CLAIM_HEAD, rows)}\n\n`;
  return `${tested}${rest === '' ? '' : `${rest}.\n\n`}${CREDIT}`;
}

function lineages({ lineages: rows }: Report): string {
  const gpus = rows.some(({ used }) => (used?.gpuMs ?? 0) > 0);
  const took = gpus ? ['CPU time', 'GPU time'] : ['CPU time'];
  return table(
    [
      ...['founder', 'size', 'merges', 'best', 'gain', '± error', 'score', 'medals'],
      ...[...took, 'changed since its founder'],
    ],
    rows.map((row) => [
      row.founder,
      String(row.size),
      String(row.merges),
      row.best ? `\`${row.best.id}\`, generation ${row.best.generation}` : '–',
      gain(row.best?.gain),
      score(row.best?.error),
      score(row.best?.score),
      row.best ? medals(row.best.medals) : '–',
      row.used ? span(row.used.cpuMs) : '–',
      ...(gpus ? [row.used ? span(row.used.gpuMs) : '–'] : []),
      clip(row.changes.map((item) => change(item, 40)).join('; ') || 'nothing', 300),
    ]),
  );
}

function changes({ champion, baseline, changes: list }: Report): string {
  if (!champion) return '';
  if (champion.id === baseline.id) return 'Nothing: the baseline itself is the champion.';
  return table(
    ['gene', 'baseline', 'champion'],
    list.map(({ path, before, after }) => [
      `\`${path}\``,
      clip(before ?? '–', 300),
      clip(after ?? 'dropped', 300),
    ]),
  );
}

function controlled({ control }: Report): string {
  if (!control) return '';
  const tables = [
    table(CONTROL_TITLES, controlRows(control)),
    table(CLOCK_TITLES, clockRows(control)),
    CONTROL_NOTES.map((note) => `- ${text(note)}`).join('\n'),
  ];
  return tables.join('\n\n');
}

function carried({ attribution }: Report): string {
  if (!attribution) return '';
  const notes = attributionNotes(attribution).map((note) => `- ${text(note)}`);
  return `${table(ATTRIBUTION_TITLES, attributionRows(attribution, 100))}\n\n${notes.join('\n')}`;
}

function ancestry({ ancestry: rows }: Report): string {
  return table(
    ['generation', 'id', 'by', 'gain', 'hoped for', 'changed'],
    rows.map((row) => [
      String(row.generation),
      `\`${row.id}\``,
      row.merged === null ? row.operator : `${row.operator} with ${row.merged}`,
      gain(row.gain),
      clip(row.hypothesis || '–', 160),
      clip(row.changes.map((item) => change(item, 60)).join('; ') || '–', 300),
    ]),
  );
}

function lessons({ lessons: { written, retired, helped } }: Report): string {
  const head = `${counted(written, 'lesson was', 'lessons were')} written, ${retired} retired as harmful.`;
  if (helped.length === 0) return `${head} None has helped yet, by the children bred with it.`;
  const rows = helped.map((row) => [
    gain(row.gain),
    String(row.bred),
    clip(row.symptom, 120),
    clip(row.advice, 200),
    row.lineage,
    row.inChampion ? 'yes' : 'no',
  ]);
  const titles = ['gain', 'children', 'symptom', 'advice', 'lineage', 'in the champion'];
  return `${head}\n\n${table(titles, rows)}`;
}

function operators({ operators: record }: Report): string {
  return table(
    ['operator', 'bred', 'refused', 'survived', 'gain over parents'],
    Object.entries(record).map(([name, { bred, refused, survived, gain: sum }]) => [
      name,
      String(bred),
      String(refused),
      String(survived),
      gain(sum),
    ]),
  );
}

/** At most 60 generations, evenly spaced, as bars: a bar's length is the best one's believed gain. */
function course(rows: readonly GenerationRow[]): string {
  if (rows.length === 0) return '';
  const step = Math.ceil(rows.length / 60);
  const shown = rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
  const top = Math.max(0.01, ...shown.map((row) => row.best));
  const lines = shown.map((row) => {
    const bar = '█'.repeat(Math.max(0, Math.round((40 * row.best) / top)));
    const generation = String(row.generation).padStart(5);
    return `${generation}  ${score(row.score)}  ${gain(row.best)}  ${gain(row.median)}  ${bar}`;
  });
  return `\`\`\`\n  gen  score    best   median\n${lines.join('\n')}\n\`\`\``;
}

function tasks(rows: readonly TaskRow[]): string {
  return table(
    ['task', 'role', 'family', 'repeats', 'baseline', 'champion', 'gain', 'medals before', 'medals after'],
    rows.map((row) => [
      row.task,
      row.distance === null ? row.role : `${row.role}, ${row.distance}`,
      row.family || '–',
      String(row.repeats),
      score(row.baseline),
      score(row.champion),
      gain(row.champion - row.baseline),
      medals(row.medals.baseline),
      medals(row.medals.champion),
    ]),
  );
}

function models({ models: known, champion }: Report): string {
  const { agent, mutator, critic, frozen, narrowed } = known;
  const lines = [
    `Agent ${agent}, mutator ${mutator}, critic ${critic}.`,
    ...(known.spending ? [`${callsText(known)}.`] : []),
    ...(frozen.length > 0
      ? [`Frozen, as the agent's endpoint has no such parameter: ${frozen.join(', ')}.`]
      : []),
    ...narrowed.map(
      ({ path, told, used }) =>
        `${path} is ${told} ${champion ? 'in the champion' : 'in the baseline'}, and was sent as ${used}.`,
    ),
    foresightText(known),
  ];
  return lines
    .filter((line) => line !== '')
    .map((line) => `- ${line}`)
    .join('\n');
}

function cost({ trials, jobs, sandbox, pruning, racing, cost: spent, wallMs }: Report): string {
  const rows = [
    ['trials run', count(trials.run)],
    ['trials known already', count(trials.cached)],
    ['trials lost', count(trials.lost)],
    ['sandbox', sandboxText(sandbox) || '–'],
    ['jobs run', jobs ? count(jobs.run) : '–'],
    ['jobs answered by the cache', jobs ? count(jobs.hits) : '–'],
    ...(pruning ? [['jobs that might be stopped early', pruningText(pruning)]] : []),
    ...(racing ? [['saved by racing', racingText(racing)]] : []),
    ['tokens in, out', `${count(spent.tokensIn)}, ${count(spent.tokensOut)}`],
    ['money', money(spent.usd)],
    ['GPU time', span(spent.gpuMs)],
    ['time', span(wallMs)],
  ];
  return table(['what', 'how much'], rows);
}

function where({ champion }: Report): string {
  const lines = [
    '- `report.json`: all of this as data',
    '- `memory.md`: the lessons of all lineages',
    '- `genomes/<id>/`: every candidate, as a folder',
    '- `trials/<id>/`: what the agent did: trajectory, notes, logs, submission',
    '- `journal.jsonl`: the record that all of this is computed from; `jobs.jsonl`: what jobs really took',
  ];
  return [...(champion ? [`- \`genomes/${champion.id}/\`: the champion`] : []), ...lines].join('\n');
}

function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(' | ')} |`;
  return [line(titles), `|${titles.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Text of models and users as it should read: no table cell, tag or line break of its own. */
function text(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/\\?\|/g, '\\|').replace(/</g, '&lt;');
}
