import type { Report } from './model.ts';

/** What `evolve run --json` prints: the report without its tables. */
export type Headline = Omit<
  Report,
  'lineages' | 'changes' | 'ancestry' | 'lessons' | 'operators' | 'course' | 'tasks' | 'sandbox'
> & { files: { report: string; journal: string; champion: string | null } };

/** The figures of a run that other programs want; the tables behind them stand in report.json. */
export function headline(report: Report): Headline {
  const { lineages, changes, ancestry, lessons, operators, course, tasks, sandbox, ...figures } = report;
  const files = {
    report: `${report.run}/report.json`,
    journal: `${report.run}/journal.jsonl`,
    champion: report.champion ? `${report.run}/genomes/${report.champion.id}` : null,
  };
  return { ...figures, files };
}
