import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { type Equipped, equipmentOf } from '../sandbox/python.ts';
import { type SandboxLevel, sandboxLevel } from '../sandbox/sandbox.ts';
import { writeWhole } from './job-folder.ts';

/**
 * What is asked of a node: `word` as whoever asks knows it; folders that it must be able to read; modules that its Python
 * must have, null where none is needed.
 */
export type Question = { word: string; folders: string[]; modules: string[] | null };
/** `faults`: what jobs would miss there, a line each. */
export type Answer = {
  word: string;
  node: string;
  nodeVersion: string;
  sandbox: SandboxLevel;
  /** Versions of Python (major.minor) and its modules, by name; empty where none is needed. */
  versions: Equipped['versions'];
  faults: string[];
};

/** Exit code of a node that does not see the folder. */
export const NOT_SHARED = 40;

/** Answers on a node. That the word stands in the folder there, and the answer is seen here, shows that it is one folder. */
export async function answerProbe(dir: string, word: string): Promise<void> {
  const question = readQuestion(dir);
  if (question?.word !== word) {
    process.exitCode = NOT_SHARED;
    return;
  }
  const node = process.env.SLURMD_NODENAME ?? hostname();
  const { versions, faults: missing } = await findModules(question.modules);
  const faults = [...unreadable(question.folders), ...missing];
  const nodeVersion = process.versions.node;
  const answer: Answer = { word, node, nodeVersion, sandbox: await sandboxLevel(), versions, faults };
  writeWhole(join(dir, 'answer.json'), JSON.stringify(answer));
}

/** The answer in a probe's folder; null while there is none. */
export function readAnswer(dir: string): Answer | null {
  try {
    readdirSync(dir);
    return JSON.parse(readFileSync(join(dir, 'answer.json'), 'utf8')) as Answer;
  } catch {
    return null;
  }
}

/** What jobs on Python find on this machine, and what they miss; null where there are none. */
export async function findModules(modules: readonly string[] | null): Promise<Equipped> {
  // Of the Python that jobs will have here, and no other.
  return modules === null
    ? { versions: {}, faults: [] }
    : equipmentOf(process.env.EVOLVE_PYTHON || 'python3', modules);
}

function unreadable(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    try {
      return readdirSync(folder).length > 0 ? [] : [`${folder} is empty`];
    } catch (error) {
      return [`${folder} cannot be read (${messageOf(error)})`];
    }
  });
}

function readQuestion(dir: string): Question | null {
  try {
    return JSON.parse(readFileSync(join(dir, 'question.json'), 'utf8')) as Question;
  } catch {
    return null;
  }
}
