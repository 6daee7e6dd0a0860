import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, UserError } from '../errors.ts';
import { auditTasks } from './audit.ts';
import type { SealedAudit } from './audit-file.ts';
import { startGrader } from './grader.ts';
import type { Suite } from './suite.ts';

/**
 * Tries the sealed tasks of a suite with agents that know nothing, and keeps what was found in its suite.json, for runs
 * never look at sealed tasks. To be called when a suite is built, and again when its files have changed; the hash of the
 * suite stays as it is. Throws a `UserError` where the file cannot be written.
 */
export async function writeSealedAudit(suite: Suite): Promise<SealedAudit> {
  const grader = await startGrader(suite.dir);
  try {
    const sealed = suite.tasks.filter(({ role }) => role === 'sealed');
    const audit = { hash: suite.hash, tasks: await auditTasks(sealed, grader) };
    await keep(join(suite.dir, 'suite.json'), audit);
    return audit;
  } finally {
    await grader.close();
  }
}

async function keep(file: string, audit: SealedAudit): Promise<void> {
  const before = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  try {
    await writeFile(`${file}.new`, `${JSON.stringify({ ...before, audit }, null, 2)}\n`);
    await rename(`${file}.new`, file);
  } catch (error) {
    throw new UserError(
      `${file} cannot be written: ${messageOf(error)}`,
      'Audit a copy of the suite that is yours to change.',
    );
  }
}
