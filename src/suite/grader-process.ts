import { messageOf } from '../errors.ts';
import { outliveTerminal } from '../stdio.ts';
import { gradeSubmission } from './grade.ts';
import { loadSuiteWithAnswers } from './load.ts';
import type { Grade } from './suite.ts';

/** What the client sends: a submission to a task. */
export type GraderRequest = { id: number; taskId: string; csv: string };

/** What comes back: once `ready` or `broken`, then a grade for each request, or a fault of the grader's own. */
export type GraderReply =
  | { kind: 'ready'; suiteHash: string }
  | { kind: 'broken'; message: string }
  | { kind: 'graded'; id: number; grade: Grade }
  | { kind: 'fault'; id: number; message: string };

/**
 * The main program of the grader's process; its only argument is the suite's folder. Answers are read once and live
 * in this process alone. It ends by itself when its parent goes, because nothing but the channel keeps it alive.
 */
async function main(dir: string): Promise<void> {
  // Ctrl-C and a terminal that is closed reach the whole process group; the parent decides when grading ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  outliveTerminal();
  const { suite, answers } = await loadSuiteWithAnswers(dir);
  process.on('message', ({ id, taskId, csv }: GraderRequest) => {
    try {
      const task = answers.get(taskId);
      if (task === undefined) throw new Error(`the suite has no task "${taskId}"`);
      reply({ kind: 'graded', id, grade: gradeSubmission(task, csv) });
    } catch (error) {
      reply({ kind: 'fault', id, message: messageOf(error) });
    }
  });
  reply({ kind: 'ready', suiteHash: suite.hash });
}

/** A reply that nobody is left to read is dropped. */
function reply(message: GraderReply): void {
  if (process.connected) process.send!(message, () => {});
}

main(process.argv[2]!).catch((error) => {
  reply({ kind: 'broken', message: messageOf(error) });
  process.exitCode = 1;
  process.disconnect();
});
