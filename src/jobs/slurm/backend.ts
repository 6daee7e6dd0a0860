import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { type Backend, notRun } from '../backend.ts';
import { lost } from '../result.ts';
import { namesOf } from './request.ts';
import { openSession, type Session } from './session.ts';
import type { SlurmOptions } from './settings.ts';

/**
 * Runs jobs as array tasks of a Slurm cluster; nothing is asked of it before the first one. A job that an earlier process
 * submitted, and that runs or has left its result, is waited for instead of submitted again. One that the cluster lost is
 * `lost`, and asked for once more it is submitted anew. `usage().slots` is the most that have run at once.
 */
export function slurmBackend(options: SlurmOptions): Backend {
  const halted = new AbortController();
  const halt = (reason: string, hint: string) => halted.abort(Object.assign(new Error(reason), { hint }));
  let session: Promise<Session> | undefined;
  let usage: Session['usage'] = () => ({ busy: 0, slots: 0 });

  const open = async (): Promise<Session> => {
    const opened = await openSession(options, halted.signal, halt);
    usage = opened.usage;
    return opened;
  };

  return {
    async run(asked) {
      try {
        session ??= open();
        return await (await session).run(asked);
      } catch (error) {
        return notRun(lost(messageOf(error)));
      }
    },
    usage: () => usage(),
    halted: halted.signal,
    async close() {
      // Jobs of an earlier process may be left although this one has asked for none.
      if (hasSubmitted(options.folder)) session ??= open();
      const sure = await (await session?.catch(() => null))?.close();
      const ours = `what \`squeue --me\` shows as ${namesOf(options.run)}…`;
      if (sure === false) options.say?.(`Slurm does not say whether jobs are left: cancel ${ours}`);
      if (sure === null) options.say?.(`jobs that run are left to whoever resumes the run: ${ours}`);
    },
  };
}

/** Cancels what an earlier process has left of a run on the cluster; false where Slurm does not say that nothing is left. */
export async function clearSlurm(options: SlurmOptions): Promise<boolean> {
  if (!hasSubmitted(options.folder)) return true;
  const session = await openSession(options, new AbortController().signal, () => {});
  return (await session.close()) === true;
}

function hasSubmitted(folder: string): boolean {
  return existsSync(join(folder, 'submissions.jsonl'));
}
