import type { FoldRow, FoldsReport } from './folds.ts';
import { tooFewTasks } from './folds.ts';
import { comparison, count, counted, gain, money, noVerdictWith, span, table } from './format.ts';

/** The summary over all folds, at most 110 columns; `colour` for a terminal that wants it. */
export function foldsSummary(report: FoldsReport, colour: boolean): string {
  const bold = (text: string) => (colour ? `\u001b[1m${text}\u001b[0m` : text);
  const { trials, cost, wallMs, run } = report;
  const sections: [string, string][] = [
    ['', bold(foldsVerdict(report))],
    ['What that is', caveats(report).join('\n')],
    ['Champions against baseline, each on tasks that its own search never saw', against(report)],
    ['Folds', table(foldRows(report.folds), [0, 1, 2])],
    [
      'Cost',
      `trials  ${count(trials.run)} run, ${count(trials.cached)} known already, ${trials.lost} lost\n` +
        `model   ${count(cost.tokensIn)} tokens in, ${count(cost.tokensOut)} out, ${money(cost.usd)}\n` +
        `time    ${span(wallMs)}`,
    ],
    ['Where', `report  ${run}/report.md\nfolds   ${run}/fold-1/ … ${run}/fold-${report.folds.length}/`],
  ];
  return sections
    .filter(([, body]) => body !== '')
    .map(([title, body]) => (title ? `${bold(title)}\n${body.replace(/^(?=.)/gm, '  ')}` : body))
    .join('\n\n');
}

/** report.md over all folds. */
export function foldsMarkdown(report: FoldsReport): string {
  const { run, suite, model, seed, folds, tasks, generations } = report;
  const rows = tasks.map((row) => [
    ...[row.task, row.family, row.distance ?? '–', row.fold, String(row.repeats)],
    ...comparison('', row.baseline, row.champion).slice(1),
  ]);
  const parts = [
    `# ${text(run)}`,
    `**${text(foldsVerdict(report))}**`,
    `Suite ${text(suite)}, model ${text(model)}, seed ${seed}; ${folds.length} folds of ${counted(generations, 'generation')} each.`,
    caveats(report).map(text).join(' '),
    `## Folds\n\n${markdownTable(foldRows(folds))}`,
    ...(rows.length === 0
      ? []
      : [
          `## Task by task\n\n${markdownTable([['task', 'family', 'distance', 'fold', 'repeats', 'baseline', 'champion', 'gain'], ...rows])}`,
        ]),
    `## How to read this\n\n${HOW}`,
  ];
  return `${parts.filter((one) => one !== '').join('\n\n')}\n`;
}

/** The verdict over all folds in a sentence. */
export function foldsVerdict({ verdict, gain: sealed, folds, tasks, stop, outdated }: FoldsReport): string {
  if (!sealed && stop === 'finished' && outdated.length > 0) {
    return `No verdict: ${outdated.join(', ')} was extended, and has another champion now than the one that its sealed tasks were opened for.`;
  }
  if (!sealed) {
    const through = folds.filter((row) => row.stop === 'finished').length;
    return `No verdict yet: ${through} of ${folds.length} folds are finished (${stop}).`;
  }
  const [low, high] = sealed.ci95;
  const p = sealed.p < 0.001 ? sealed.p.toExponential(1) : sealed.p.toFixed(3);
  const within = `(95% ${gain(low)} to ${gain(high)}, p = ${p})`;
  if (tooFewTasks(tasks.length) !== null)
    return `${noVerdictWith(tasks.length)}: gain ${gain(sealed.mean)} ${within}.`;
  const words: Partial<Record<FoldsReport['verdict'], string>> = {
    better: 'The search finds better harnesses than the baseline',
    worse: 'The search finds worse harnesses than the baseline',
  };
  const said = words[verdict] ?? 'What the search finds and the baseline cannot be told apart';
  return `${said}: ${gain(sealed.mean)} over ${tasks.length} sealed tasks ${within}.`;
}

const HOW = `Each fold is a search of its own with a seed of its own, blind to the tasks of that fold, which were opened
once, when its champion was named. Every task counts once, by the champion of the fold in which it was sealed. The gain is
that of the search, over all champions, and not of one genome. The p is from the sign-flip test over tasks, exact up to 20
of them, at a level of 2.5%; the interval is Student's t over tasks. Both take tasks as independent; the searches share
most of their tasks, as in any cross-validation, so searches on other tasks may vary more than the interval says (Bengio and
Grandvalet 2004). Search gains are what the champions were chosen by, and flatter. Credits are of each fold's own
validation tasks, and are not adjusted for the number of folds.`;

function caveats({ champion, baseline, folds, tasks, gain: sealed }: FoldsReport): string[] {
  if (!sealed) return [];
  const few = tooFewTasks(tasks.length);
  const different = new Set(folds.map((row) => row.champion?.id)).size;
  const none = folds.filter((row) => row.champion?.id === baseline).length;
  const agreed =
    champion === baseline
      ? 'No fold found anything better than the baseline.'
      : `All folds have the same champion: ${champion}.`;
  return [
    `It is the gain of the search, over ${folds.length} folds, and not of one genome.`,
    champion === null
      ? `The folds have ${different} different champions, and this crowns none of them.`
      : agreed,
    ...(champion === null && none > 0
      ? [`In ${none} of them nothing was better than the baseline, which then is the champion: a gain of 0.`]
      : []),
    ...(few === null ? [] : [`${few[0]!.toUpperCase()}${few.slice(1)}.`]),
  ];
}

function against({ near, far, tasks }: FoldsReport): string {
  if (tasks.length === 0) return '';
  const mean = (key: 'baseline' | 'champion') => tasks.reduce((sum, row) => sum + row[key], 0) / tasks.length;
  const rows = [
    ['mean score on', 'baseline', 'champion', 'gain'],
    comparison(`sealed tasks (${tasks.length})`, mean('baseline'), mean('champion')),
  ];
  if (near) rows.push(comparison(`  near (${near.tasks})`, near.baseline, near.champion));
  if (far) rows.push(comparison(`  far (${far.tasks})`, far.baseline, far.champion));
  return table(rows);
}

function foldRows(folds: readonly FoldRow[]): string[][] {
  const head = ['fold', 'champion', 'lineage', 'search gain', 'sealed gain', 'sealed', 'trials', 'stop'];
  return [
    head,
    ...folds.map((row) => [
      row.fold,
      row.champion?.id ?? '–',
      row.champion?.lineage ?? '–',
      gain(row.searchGain),
      gain(row.sealedGain),
      String(row.sealed),
      count(row.trials),
      row.stop ?? 'not begun',
    ]),
  ];
}

function markdownTable([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** Names come from suites and folders of others: nothing in them is markup. */
function text(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#]/g, '\\$&');
}
