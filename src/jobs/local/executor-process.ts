import { messageOf } from '../../errors.ts';
import { outliveTerminal } from '../../stdio.ts';
import type { JobSpec } from '../job.ts';
import { type Containment, execute } from '../process/execute.ts';
import { closeInherited } from '../process/inherited.ts';
import { limitsOf } from '../process/limits.ts';
import { openScratch, removeTree, type Scratch, scratchPlaces } from '../process/scratch.ts';
import { lost, type Result } from '../result.ts';

/** What the client sends: once how to work, then jobs, and the wish that one be ended. */
export type ExecutorRequest =
  | { kind: 'open'; containment: Containment; cacheDir: string | null }
  | { kind: 'run'; id: number; spec: JobSpec; identity: string; gpus: string[] }
  | { kind: 'cancel'; id: number };

/**
 * What comes back: of each job its end, once, and before it what a long one prints. `dir` holds its large outputs and is
 * the client's to remove; else null.
 */
export type ExecutorReply =
  | { kind: 'output'; id: number; text: string }
  | { kind: 'ended'; id: number; result: Result; dir: string | null };

type Scratches = { small: Scratch; large: Scratch };

const controls = new Map<number, AbortController>();

/**
 * The main program of the process that starts jobs. When the channel closes, because its parent has gone in whatever
 * way, it ends what runs, removes its scratch places, and ends: so not even a `kill -9` of the parent leaves a job.
 */
function main(): void {
  closeInherited();
  outliveTerminal();
  let work: { containment: Containment; scratches: Scratches } | undefined;
  let fault = '';
  process.on('message', (request: ExecutorRequest) => {
    if (request.kind === 'cancel') controls.get(request.id)?.abort();
    else if (request.kind === 'run') {
      if (work === undefined) reply({ kind: 'ended', id: request.id, result: lost(fault), dir: null });
      else void run(request, work.containment, work.scratches);
    } else {
      try {
        work = { containment: request.containment, scratches: openScratches(request.cacheDir) };
      } catch (error) {
        fault = messageOf(error);
      }
    }
  });
  process.once('disconnect', () => {
    for (const control of controls.values()) control.abort();
  });
  process.once('exit', () => {
    work?.scratches.small.remove();
    work?.scratches.large.remove();
  });
}

function openScratches(cacheDir: string | null): Scratches {
  const places = scratchPlaces(cacheDir);
  const large = openScratch(places.large);
  return { small: places.small === places.large ? large : openScratch(places.small), large };
}

async function run(
  { id, spec, identity, gpus }: Extract<ExecutorRequest, { kind: 'run' }>,
  containment: Containment,
  scratches: Scratches,
): Promise<void> {
  const control = new AbortController();
  controls.set(id, control);
  let dir: string | null = null;
  let result: Result;
  try {
    dir = (limitsOf(spec).wall ? scratches.large : scratches.small).make();
    const say = (text: string) => reply({ kind: 'output', id, text });
    result = await execute(containment, dir, spec, identity, gpus, control.signal, say);
  } catch (error) {
    result = lost(messageOf(error));
  }
  controls.delete(id);
  const needed = result.files.some((file) => 'file' in file);
  reply({ kind: 'ended', id, result, dir: needed ? dir : null });
  if (dir !== null && !needed) removeTree(dir);
}

/** A reply that nobody is left to read is dropped. */
function reply(message: ExecutorReply): void {
  if (process.connected) process.send?.(message, () => {});
}

main();
