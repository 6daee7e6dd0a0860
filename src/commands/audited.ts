import { UserError } from '../errors.ts';
import { shellWord } from '../shell-word.ts';
import { auditTasks, type Findings } from '../suite/audit.ts';
import { startGrader } from '../suite/grader.ts';
import { leaveOut } from '../suite/left-out.ts';
import { refuseSharedData } from '../suite/shared-data.ts';
import type { Suite } from '../suite/suite.ts';
import { cannotClaim } from './claimable.ts';
import { displayed } from './read-report.ts';

/**
 * The suite as a run may use it: without the tasks that agents which know nothing show to be unfit, named in `leftOut`.
 * Tasks for search and validation are tried now, through the grader's process (well under a second on Mini-MLE); of
 * sealed ones only what was found when the suite was built is looked up. Depends on the suite alone, so that who resumes
 * a run has the same tasks. Throws a `UserError` where no search task is left, or where roles share data.
 */
export async function auditedSuite(suite: Suite): Promise<Suite> {
  refuseSharedData(suite);
  const findings = { ...sealedFindings(suite), ...(await tryOpen(suite)) };
  const leftOut = suite.tasks.flatMap(({ id }) => {
    const fault = Object.hasOwn(findings, id) ? findings[id] : null;
    return fault ? [`${id}: ${fault}`] : [];
  });
  const fit = leaveOut(suite, leftOut);
  if (!fit.tasks.some(({ role }) => role === 'search')) {
    throw new UserError(
      `the suite ${suite.name} has no search task${leftOut.length > 0 ? ` that is fit (${leftOut.join('; ')})` : ''}`,
      suite.tasks.some(({ role }) => role === 'search')
        ? 'mend the leaderboards or the metrics of its search tasks: agents that know nothing must not look good'
        : 'Give at least one task of suite.json the role "search".',
    );
  }
  return fit;
}

/** What is to be said of a suite before anything is spent: what was left out, what cannot be claimed; a line each. */
export function suiteWarnings(suite: Suite): string[] {
  return [...leftOutLines(suite), ...unaudited(suite), ...cannotClaim(suite)];
}

/** What was left out of a suite; a line each. */
export function leftOutLines({ leftOut = [] }: Suite): string[] {
  return leftOut.map((line) => `left out of the run: ${line}`);
}

async function tryOpen({ dir, tasks }: Suite): Promise<Findings> {
  const grader = await startGrader(dir);
  try {
    return await auditTasks(
      tasks.filter(({ role }) => role !== 'sealed'),
      grader,
    );
  } finally {
    await grader.close();
  }
}

/** What the suite's own audit says of its sealed tasks; null where it is missing, or of other files or tasks. */
function sealedFindings({ audit, hash, tasks }: Suite): Findings | null {
  if (audit?.hash !== hash) return null;
  const sealed = tasks.filter(({ role }) => role === 'sealed').map(({ id }) => id);
  if (!sealed.every((id) => Object.hasOwn(audit.tasks, id))) return null;
  return Object.fromEntries(sealed.map((id) => [id, audit.tasks[id] ?? null]));
}

function unaudited(suite: Suite): string[] {
  const { audit, dir, tasks } = suite;
  if (!tasks.some(({ role }) => role === 'sealed') || sealedFindings(suite)) return [];
  const why = audit ? 'have changed since they were audited' : 'were never audited';
  return [`the sealed tasks ${why}; \`evolve validate --audit ${shellWord(displayed(dir))}\` does it`];
}
