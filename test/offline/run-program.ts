import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, loadDrafts, loadSkillLibrary } from '../../src/offline/skills.ts';
import { fillIn } from '../../src/offline/write-code.ts';
import type { SyntheticTask } from './synthetic-tasks.ts';

/** Which draft or skill each file of a program is written from. */
export type Parts = { features: string; target: string; model: string; main: string };
export const DEFAULTS: Parts = {
  features: 'features-plain.mjs',
  target: 'target.mjs',
  model: 'model-ridge.mjs',
  main: 'main.mjs',
};

export type Ran = { status: number | null; stdout: string; stderr: string; outputs: string[] | null };

/** The code of a draft (by file name) or of a skill (by its name), placeholders unfilled. */
export function codeNamed(name: string): string {
  return loadDrafts()[name] ?? codeOf(loadSkillLibrary()[name]!.body)!;
}

/** The five files of a program for a task; `edit` changes one of them before it is written, placeholders unfilled. */
export function filesOf(
  task: SyntheticTask,
  parts: Partial<Parts>,
  edit = (_file: string, code: string) => code,
): Record<string, string> {
  const names = { read: 'read.mjs', ...DEFAULTS, ...parts };
  return Object.fromEntries(
    Object.entries(names).map(([stem, name]) => {
      const file = `${stem}.mjs`;
      return [file, edit(file, fillIn(codeNamed(name), task))];
    }),
  );
}

/** Runs `node main.mjs` in a fresh folder with the task's data. */
export function runProgram(task: SyntheticTask, files: Record<string, string>): Ran {
  const dir = mkdtempSync(join(tmpdir(), 'program-'));
  try {
    mkdirSync(join(dir, 'data'));
    for (const [name, text] of Object.entries(task.files)) writeFileSync(join(dir, 'data', name), text);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['main.mjs'], {
      cwd: dir,
      encoding: 'utf8',
      env: {},
    });
    const submission = join(dir, 'submission.csv');
    const outputs = existsSync(submission) ? readOutputs(readFileSync(submission, 'utf8')) : null;
    return { status, stdout, stderr: stderr.replaceAll(dir, '.'), outputs };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function readOutputs(csv: string): string[] {
  const [, ...lines] = csv.trimEnd().split('\n');
  return lines.map((line) =>
    line
      .replace(/^[^,]*,/, '')
      .replace(/^"(.*)"$/, '$1')
      .replaceAll('""', '"'),
  );
}
