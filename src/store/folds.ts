import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunConfig } from '../config.ts';
import { messageOf, UserError } from '../errors.ts';
import type { RunIdentity } from '../event.ts';
import { type Fold, type Roles, withRoles } from '../suite/folds.ts';
import type { Suite } from '../suite/suite.ts';
import { refuseOtherIdentity } from './identity.ts';
import { readJournal } from './journal.ts';
import { refuseHeld, takeLock, type Waiting } from './lock.ts';
import { replaceFile } from './replace-file.ts';
import { makeRunFolder, refuseUnwritable } from './run-dir.ts';

/** `folds.json`: names the folds of a run, each a run of its own in a folder beside it. */
export type FoldsFile = {
  version: 1;
  /** As the last call was told. */
  config: RunConfig;
  /** Of the suite before it was split, and of the seed that the folds' own are drawn from. */
  identity: RunIdentity;
  /** `folder`, and the ids of its tasks by role. */
  folds: ({ folder: string } & Roles)[];
};

/** The folder of a run with folds, which this process writes. */
export type FoldsDir = { dir: string; close(): void };

const FILE = 'folds.json';

/** The folds in `dir`, or null where it holds none. Throws a `UserError` for a file that is damaged. */
export async function readFolds(dir: string): Promise<FoldsFile | null> {
  const path = join(dir, FILE);
  if (!existsSync(path)) return null;
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as FoldsFile;
    if (file.version !== 1 || !file.config || !file.identity || !Array.isArray(file.folds)) {
      throw new Error('it is no list of folds');
    }
    return file;
  } catch (error) {
    throw new UserError(
      `${path} is damaged: ${messageOf(error)}`,
      'Give the options of the run again, with the same --out, after removing this file: the folds are kept.',
    );
  }
}

/** The folder of all folds where `dir` is one of them, else null. */
export async function foldsAround(dir: string): Promise<string | null> {
  const around = dirname(resolve(dir));
  const folds = (await readFolds(around))?.folds ?? [];
  return folds.some(({ folder }) => folder === basename(resolve(dir))) ? around : null;
}

/** The suite with the roles that its tasks have in the run in `dir`, which may be a fold of one without roles. */
export async function suiteIn(dir: string, suite: Suite): Promise<Suite> {
  const around = suite.roleless ? await foldsAround(dir) : null;
  const folds = around === null ? [] : (await readFolds(around))!.folds;
  const fold = folds.find(({ folder }) => folder === basename(resolve(dir)));
  return fold ? withRoles(suite, fold) : suite;
}

/**
 * What is known of the run with K folds in `out`; null where it is a new one. Changes nothing. Rejects with a `UserError`
 * where something else stands there, or folds of another identity or number.
 */
export async function checkFolds(out: string, identity: RunIdentity, k: number): Promise<FoldsFile | null> {
  const dir = resolve(out);
  refuseUnwritable(dir);
  if (!existsSync(dir)) return null;
  const file = await readFolds(dir);
  const known = new Set([...foldNames(k), FILE, 'report.json', 'report.md']);
  const odd = readdirSync(dir).find((name) => !known.has(name) && !/^lock(\.|$)|\.tmp$/.test(name));
  if (file === null && odd !== undefined) {
    throw new UserError(
      `${dir} is not empty and holds no folds`,
      'Give a folder that is empty or does not exist, or the folder of a run with --folds to resume.',
    );
  }
  refuseHeld(dir);
  if (file === null) return null;
  if (file.folds.length !== k) {
    throw new UserError(
      `${dir} holds a run with another identity: --folds was ${file.folds.length}, is ${k}`,
      'Give the same options to go on with that run, or another --out for a new one.',
    );
  }
  refuseOtherIdentity(dir, file.identity, identity);
  return file;
}

/** Makes the folder where it is not there (null: a new dated one), takes its lock and writes `folds.json`. */
export async function openFolds(
  out: string | null,
  config: RunConfig,
  identity: RunIdentity,
  folds: readonly Fold[],
  waiting: Waiting = {},
): Promise<FoldsDir> {
  const dir = await makeRunFolder(out);
  const lock = await takeLock(dir, waiting);
  try {
    const file: FoldsFile = { version: 1, config, identity, folds: folds.map(entryOf) };
    await replaceFile(join(dir, FILE), `${JSON.stringify(file, null, 2)}\n`);
  } catch (error) {
    lock.release();
    throw error;
  }
  return { dir, close: () => lock.release() };
}

/** Whether the search of a fold has journalled anything. Throws a `UserError` for a damaged journal. */
export async function hasBegun(dir: string): Promise<boolean> {
  const journal = join(dir, 'journal.jsonl');
  return existsSync(journal) && (await readJournal(journal, () => {})).seq > 0;
}

function foldNames(k: number): string[] {
  return Array.from({ length: k }, (_, i) => `fold-${i + 1}`);
}

function entryOf({ name, suite }: Fold): FoldsFile['folds'][number] {
  const ids = (wanted: string) => suite.tasks.filter(({ role }) => role === wanted).map(({ id }) => id);
  return { folder: name, search: ids('search'), validation: ids('validation'), sealed: ids('sealed') };
}
