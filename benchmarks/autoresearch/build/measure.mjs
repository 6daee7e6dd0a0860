import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { formatCsv, parseCsv } from '../../../dist/suite/csv.js';
import { startGrader } from '../../../dist/suite/grader.js';
import { loadSuite } from '../../../dist/suite/load.js';
import { ZOO } from './configs.mjs';
import { setConstants } from './constants.mjs';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const { values: options } = parseArgs({
  options: { suite: { type: 'string', default: HERE }, python: { type: 'string', default: 'python3' } },
});

/**
 * Trains train.py under the settings of the zoo on every task of a suite, and writes what the grader makes of it into its
 * `trained.csv`, from which the builder takes the rows of leaderboards. What stands there is not measured again.
 */
const suite = await loadSuite(options.suite);
const file = join(options.suite, 'trained.csv');
const rows = existsSync(file) ? parseCsv(readFileSync(file, 'utf8')).rows : [];
const grader = await startGrader(options.suite);
try {
  for (const [setting, constants] of Object.entries(ZOO)) {
    for (const task of suite.tasks) {
      if (rows.some(([id, name]) => id === task.id && name === setting)) continue;
      const grade = await grader.grade(task.id, await submissionOf(task, constants));
      if (!grade.valid) throw new Error(`${task.id}, ${setting}: ${grade.reason}`);
      rows.push([task.id, setting, grade.raw.toFixed(4)]);
      rows.sort(([a, , x], [b, , y]) => (a < b ? -1 : a > b ? 1 : x - y));
      writeFileSync(file, formatCsv(['task', 'setting', 'score'], rows));
      console.log(`${task.id}, ${setting}: ${grade.raw.toFixed(4)}`);
    }
  }
} finally {
  await grader.close();
}

async function submissionOf(task, constants) {
  const dir = mkdtempSync(join(tmpdir(), 'autoresearch-'));
  try {
    cpSync(task.startDir, dir, { recursive: true });
    symlinkSync(resolve(task.publicDir), join(dir, 'data'));
    const program = readFileSync(join(dir, 'train.py'), 'utf8');
    writeFileSync(join(dir, 'train.py'), setConstants(program, constants));
    const threads = String(task.limits.cpus ?? 1);
    const env = { ...process.env, OMP_NUM_THREADS: threads, OPENBLAS_NUM_THREADS: threads };
    await promisify(execFile)(options.python, ['train.py'], { cwd: dir, env });
    return readFileSync(join(dir, 'submission.csv'), 'utf8');
  } finally {
    rmSync(dir, { recursive: true });
  }
}
