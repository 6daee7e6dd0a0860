import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import { markdown } from '../report/markdown.ts';
import type { Report, ReportInput } from '../report/model.ts';
import { summary } from '../report/terminal.ts';
import type { Given } from '../settings.ts';
import { readConfigOf } from '../store/catalog.ts';
import { readFolds, suiteIn } from '../store/folds.ts';
import { replaceFile } from '../store/replace-file.ts';
import { loadSuite } from '../suite/load.ts';
import { type Context, EXIT } from './context.ts';
import { readReport } from './read-report.ts';

/** `evolve report RUN`: writes report.md and report.json, and prints the summary. */
export async function report(folder: string, flags: Given, context: Context): Promise<number> {
  if (await readFolds(folder)) {
    const { reportFolds } = await import('./folds.ts');
    return await reportFolds(folder, flags.json === true, context);
  }
  const { report, notice } = await readReport(folder, await tasksOf(folder, context));
  if (notice) context.note(`evolve: ${notice}`);
  await writeReport(folder, report);
  context.print(flags.json ? JSON.stringify(report, null, 2) : summary(report, wantsColour()));
  return EXIT.finished;
}

/** Writes report.md and report.json into the run's folder. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  await replaceFile(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await replaceFile(join(folder, 'report.md'), markdown(report));
}

/** Colour on a terminal, unless NO_COLOR is set (no-color.org). */
export function wantsColour(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR;
}

/** The tasks of the run's suite, as far as it is still where it was: a report can do without. */
async function tasksOf(folder: string, context: Context): Promise<ReportInput['tasks']> {
  const config = await readConfigOf(folder);
  if (!config) return [];
  try {
    return (await suiteIn(folder, await loadSuite(config.suite))).tasks;
  } catch (error) {
    context.note(`evolve: the report goes without the families of tasks: ${messageOf(error)}`);
    return [];
  }
}
