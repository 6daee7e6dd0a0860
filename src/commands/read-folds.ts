import { join } from 'node:path';
import { messageOf } from '../errors.ts';
import type { Stop } from '../event.ts';
import { type FoldsReport, foldsReportOf } from '../report/folds.ts';
import { foldsMarkdown } from '../report/folds-text.ts';
import { type FoldsFile, hasBegun } from '../store/folds.ts';
import { replaceFile } from '../store/replace-file.ts';
import { withRoles } from '../suite/folds.ts';
import { loadSuite } from '../suite/load.ts';
import type { Task } from '../suite/suite.ts';
import { displayed, readReport } from './read-report.ts';
import { writeReport } from './report.ts';

/**
 * Reads all folds of a run and writes the reports of each and of all together. `note` hears where the suite is not at
 * hand, so that families, near and far are left out; `stop` is why the last call ended, where whoever asks knows.
 */
export async function writeFoldsReport(
  dir: string,
  file: FoldsFile,
  note: (line: string) => void,
  stop?: Stop,
): Promise<FoldsReport> {
  const { identity, config } = file;
  const tasks = await tasksOfFolds(file, note);
  const folds = [];
  for (const { folder, sealed } of file.folds) {
    const own = join(dir, folder);
    const known = tasks.get(folder) ?? [];
    const report = (await hasBegun(own)) ? (await readReport(own, known)).report : null;
    if (report) await writeReport(own, report);
    const nameless = (id: string) => ({ id, family: '', distance: null });
    folds.push({
      name: folder,
      sealed: sealed.map((id) => known.find((task) => task.id === id) ?? nameless(id)),
      report,
    });
  }
  const { seed, suite, model } = identity;
  const { generations } = config;
  const report = foldsReportOf({
    ...{ folder: displayed(dir), seed, suite, model, generations, folds },
    ...(stop === undefined ? {} : { stop }),
  });
  await replaceFile(join(dir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  await replaceFile(join(dir, 'report.md'), foldsMarkdown(report));
  return report;
}

/** The tasks of each fold by its folder, with their roles there; none where the suite is not at hand. */
async function tasksOfFolds(
  { config, folds }: FoldsFile,
  note: (line: string) => void,
): Promise<Map<string, readonly Task[]>> {
  try {
    const suite = await loadSuite(config.suite);
    return new Map(folds.map((fold) => [fold.folder, withRoles(suite, fold).tasks]));
  } catch (error) {
    note(`evolve: the report goes without the families of tasks: ${messageOf(error)}`);
    return new Map();
  }
}
