import { UserError } from '../../errors.ts';
import { type Answer, NOT_SHARED } from './node-probe.ts';
import type { Slurm } from './programs.ts';
import { askQueue, type TaskLine } from './queue.ts';
import { realClock, type SlurmOptions } from './settings.ts';
import { isAlive, stuckBecause } from './states.ts';

/** How long a shared disk may keep back an answer, ms. */
const DISK_MS = 60_000;
/** How long Slurm may be silent at the start, ms: somebody sits before it. */
const SILENT_MS = 60_000;
/** What takes no longer is not worth a word, ms. */
const QUIET_MS = 5000;

export const SETTINGS_HINT = 'set `slurm` (partition, account, qos, gres, extra …) in the config file';
export const NODE_HINT = `nodes must have the same Node as this machine, at the same path (${process.execPath})`;
const AWAY_HINT = 'try `squeue`; when it answers, run the same command again';
const SHARED_HINT = '`--out` must be on a disk that this machine and the nodes share';
const INSTALLED_HINT = 'evolve must be installed on a disk that this machine and the nodes share';

/** Waiting for Slurm and for its small job, of this name. Each throws a `UserError` when there is nothing to wait for. */
export function waiter(options: SlurmOptions, slurm: Slurm, name: string, signal: AbortSignal) {
  const { settings, say = () => {}, clock = realClock } = options;
  let tasks: TaskLine[] = [];
  let told = '';

  /** Null when Slurm did not answer; throws after a while. */
  const ask = async (since: number): Promise<TaskLine[] | null> => {
    const lines = await askQueue(slurm, name);
    if (!('said' in lines)) return lines;
    if (lines.said.includes('cannot be run')) {
      throw new UserError(
        `there is no Slurm on this machine: ${lines.said}`,
        'start it where `squeue` works',
      );
    }
    if (clock.now() - since >= SILENT_MS)
      throw new UserError(`Slurm does not answer: ${lines.said}`, AWAY_HINT, 4);
    return null;
  };

  const pause = async (): Promise<void> => {
    await clock.sleep(Math.min(1000, settings.pollMs), signal);
    signal.throwIfAborted();
  };

  const answer = async (): Promise<void> => {
    for (const began = clock.now(); (await ask(began)) === null; await pause());
  };

  const job = async (read: () => Answer | null): Promise<Answer> => {
    const began = clock.now();
    /** Since when it does not plainly wait its turn: for that there is no limit, others may have filled the cluster. */
    let since = began;
    let heard = began;
    let alive = began;
    let nextAsk = began;
    for (; ; await pause()) {
      const found = read();
      if (found !== null) return found;
      const now = clock.now();
      if (now < nextAsk) continue;
      nextAsk = now + settings.pollMs;
      const lines = await ask(heard);
      if (lines === null) continue;
      heard = clock.now();
      tasks = lines;
      const task = lines.find(({ state }) => isAlive(state));
      if (task) {
        alive = heard;
        progress(task, heard - began);
        if (isItsTurnAwaited(task)) since = heard;
        const stuck = stuckBecause(task.state, task.reason);
        if (stuck) throw new UserError(`Slurm does not start a small job: ${stuck}`, SETTINGS_HINT);
      } else if (lines.length > 0) await explain(lines[0] as TaskLine, now - alive >= DISK_MS);
      else if (now - alive >= DISK_MS)
        throw new UserError('Slurm does not know the small job any more', AWAY_HINT, 4);
      if (now - since >= settings.maxPauseMs) {
        throw new UserError('Slurm has not run a small job in all this time', AWAY_HINT, 4);
      }
    }
  };

  const isItsTurnAwaited = ({ state, reason }: TaskLine) =>
    state === 'PENDING' && /^(Resources|Priority)$/.test(reason);

  const progress = ({ state, reason }: TaskLine, waitedMs: number): void => {
    if (waitedMs < QUIET_MS) return;
    const line = `the small job is ${state}${reason === '' || reason === 'None' ? '' : ` (${reason})`}`;
    if (line !== told) say(line);
    told = line;
  };

  /** Throws when the job has ended in a way that leaves no answer to wait for. */
  const explain = async ({ id, state, node }: TaskLine, waited: boolean): Promise<void> => {
    const shown = await slurm('scontrol', ['--oneliner', 'show', 'job', id]);
    const code = Number(shown.kind === 'ok' ? (/\bExitCode=(\d+):/.exec(shown.text)?.[1] ?? 0) : 0);
    const at = node === '' ? 'a node' : `node ${node}`;
    if (code === NOT_SHARED)
      throw new UserError(`${at} does not see the folder ${options.folder}`, SHARED_HINT);
    if (code === 126 || code === 127)
      throw new UserError(`${at} has no Node at ${process.execPath}`, NODE_HINT);
    if (state === 'FAILED' && code !== 0) {
      throw new UserError(`the small job failed on ${at} (exit code ${code})`, INSTALLED_HINT);
    }
    if (state !== 'COMPLETED') throw new UserError(`the small job ended as ${state} on ${at}`, AWAY_HINT, 4);
    if (waited) throw new UserError(`what ${at} writes into ${options.folder} is not seen here`, SHARED_HINT);
  };

  /** Leaves nothing behind; by its name, should its number not be known. */
  const end = async (): Promise<void> => {
    if (tasks.some(({ state }) => !isAlive(state))) return;
    const ids = tasks.map(({ id }) => id);
    await slurm('scancel', ids.length > 0 ? ids : [`--name=${name}`]);
  };

  return { answer, job, end };
}
