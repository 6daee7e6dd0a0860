import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { canonicalJson, hashJson, parseJson, sha256 } from '../json.ts';
import { type Answers, readAnswers, TaskFault } from './answers.ts';
import { parseCsv } from './csv.ts';
import { type DataNames, findShared, nameData } from './shared-data.ts';
import type { Suite, Task } from './suite.ts';
import { readSuiteFile, readTaskFile, type SuiteFile } from './task-file.ts';

const DESCRIPTION = 'prepared/public/description.md';
const PUBLIC = 'prepared/public/';
const START = 'prepared/start/';

/**
 * Reads a suite's folder: `suite.json` and a folder for each task, in `tasks/<id>` or `<id>`. All is checked before
 * anything runs, answers and leaderboards too, though only the grader keeps them. Throws `UserError` that names the
 * file for whatever is missing or wrong, and for symbolic links.
 */
export async function loadSuite(dir: string): Promise<Suite> {
  return (await loadSuiteWithAnswers(dir)).suite;
}

/** The suite and the answers, by task id. For the grader's process only. */
export async function loadSuiteWithAnswers(
  dir: string,
): Promise<{ suite: Suite; answers: Map<string, Answers> }> {
  const suiteFile = await readSuiteJson(dir);
  const loaded = await Promise.all(suiteFile.tasks.map((entry) => loadTask(dir, entry)));
  const searched = new Set(
    loaded.filter(({ task }) => task.role === 'search').map(({ task }) => task.family),
  );
  for (const { task } of loaded) {
    if (task.role === 'sealed') task.distance ??= searched.has(task.family) ? 'near' : 'far';
  }
  const shared = findShared(loaded.map(({ data }) => data));
  const suite: Suite = {
    name: suiteFile.name,
    version: suiteFile.version,
    dir: resolve(dir),
    hash: hashJson([hashed(suiteFile), loaded.map(({ hash }) => hash)]),
    setup: suiteFile.setup,
    ...(suiteFile.tasks.every(({ role }) => role === undefined) ? { roleless: true } : {}),
    tasks: loaded.map(({ task }) => task),
    ...(suiteFile.audit ? { audit: suiteFile.audit } : {}),
    ...(shared.length > 0 ? { shared } : {}),
  };
  return { suite, answers: new Map(loaded.map(({ task, answers }) => [task.id, answers])) };
}

/** What of `suite.json` a run depends on. */
function hashed({ name, version, tasks }: SuiteFile): Omit<SuiteFile, 'setup' | 'audit'> {
  return { name, version, tasks };
}

async function readSuiteJson(dir: string): Promise<SuiteFile> {
  const hint = 'Give --suite a folder that holds suite.json and its tasks, such as benchmarks/mini-mle.';
  const entries = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    const what =
      error.code === 'ENOENT' ? 'no such folder' : error.code === 'ENOTDIR' ? 'not a folder' : error.message;
    throw new UserError(`${dir}: ${what}`, hint);
  });
  if (entries.length === 0) throw new UserError(`${dir}: the folder is empty`, hint);
  if (!entries.includes('suite.json')) throw new UserError(`${dir}: no suite.json`, hint);
  const file = join(dir, 'suite.json');
  if (!(await lstat(file)).isFile()) throw new UserError(`${file}: not a plain file`, hint);
  try {
    return readSuiteFile(parseJson(await readFile(file, 'utf8')));
  } catch (error) {
    throw new UserError(`${file}: ${messageOf(error)}`, 'Correct the file.');
  }
}

async function loadTask(
  dir: string,
  entry: SuiteFile['tasks'][number],
): Promise<{ task: Task; answers: Answers; hash: string; data: DataNames }> {
  const folder = await taskFolder(dir, entry.id);
  const { role = 'search' } = entry;
  const files = new Map<string, Buffer>();
  await readTree(folder, '', files);
  const text = (file: string) => files.get(file)?.toString('utf8') ?? null;
  try {
    const file = parseTask(text('task.json'));
    const description = text(DESCRIPTION);
    if (description === null) throw new TaskFault(DESCRIPTION, 'no description');
    const answers = readAnswers(file, text);
    const start = startOf([...files.keys()]);
    keepTargetsPrivate(file.targetColumns, text(`${PUBLIC}test.csv`));
    const hashes = [...files].map(([path, content]) => [path, sha256(content)] as const);
    hashes.sort(([a], [b]) => (a < b ? -1 : 1));
    const task: Task = {
      id: entry.id,
      role,
      ...file,
      // A job that is stopped is a score that is not measured: never where scores are for credit.
      prune: role === 'search' ? file.prune : null,
      distance: role === 'sealed' ? file.distance : null,
      publicDir: resolve(folder, PUBLIC),
      startDir: start.length > 0 ? resolve(folder, START) : null,
      publicHash: sha256(canonicalJson(hashes.filter(([path]) => path.startsWith(PUBLIC))), 16),
      description,
    };
    const data = nameData(entry.id, files, answers);
    return { task, answers, hash: hashJson([entry.id, hashes]), data };
  } catch (error) {
    if (!(error instanceof TaskFault)) throw error;
    throw new UserError(
      `${join(folder, error.file)}: ${error.message}`,
      `Mend task "${entry.id}" of the suite.`,
    );
  }
}

/** `tasks/<id>` where there is one, else `<id>`. */
async function taskFolder(dir: string, id: string): Promise<string> {
  for (const folder of [join(dir, 'tasks', id), join(dir, id)]) {
    const stat = await lstat(folder).catch(() => null);
    if (stat?.isDirectory()) return folder;
    if (stat?.isSymbolicLink()) throw linkRefused(folder);
  }
  throw new UserError(
    `${join(dir, 'tasks', id)}: no such folder, but suite.json lists the task "${id}"`,
    'Add the folder, or take the task out of suite.json.',
  );
}

async function readTree(root: string, below: string, files: Map<string, Buffer>): Promise<void> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  await Promise.all(
    entries.map(async (entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isSymbolicLink()) throw linkRefused(join(root, path));
      if (entry.isDirectory()) await readTree(root, path, files);
      else if (entry.isFile()) files.set(path, await readFile(join(root, path)));
      else
        throw new UserError(`${join(root, path)}: neither a file nor a folder`, 'Take it out of the suite.');
    }),
  );
}

function parseTask(text: string | null) {
  if (text === null) throw new TaskFault('task.json', 'no task.json');
  try {
    return readTaskFile(parseJson(text));
  } catch (error) {
    throw new TaskFault('task.json', messageOf(error));
  }
}

/** The files that a trial begins with, none of them in the way of what is put there later. */
function startOf(files: string[]): string[] {
  const start = files.filter((path) => path.startsWith(START)).map((path) => path.slice(START.length));
  const odd = start.find((path) => /^(data|attempts)\/|^(submission\.csv|data|attempts)$|^\./.test(path));
  if (odd !== undefined) throw new TaskFault(START + odd, 'no name for a file that a trial begins with');
  return start;
}

/** A public test table with a target column would hand the answers to the agent. */
function keepTargetsPrivate(targetColumns: string[], testCsv: string | null): void {
  if (testCsv === null) return;
  const end = testCsv.indexOf('\n');
  const firstLine = end < 0 ? testCsv : testCsv.slice(0, end);
  let header: string[];
  try {
    ({ header } = parseCsv(firstLine));
  } catch (error) {
    throw new TaskFault(`${PUBLIC}test.csv`, messageOf(error));
  }
  const leaked = targetColumns.find((name) => header.includes(name));
  if (leaked !== undefined) throw new TaskFault(`${PUBLIC}test.csv`, `holds the target column "${leaked}"`);
}

function linkRefused(path: string): UserError {
  return new UserError(`${path}: a symbolic link`, 'Put a copy of the file itself in the suite.');
}
