import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { type Metric, watchCurve } from '../curve.ts';
import { identify } from '../identify.ts';
import { listInputs } from '../inputs.ts';
import type { JobSpec } from '../job.ts';
import { collectOutputs, type Result } from '../result.ts';
import { launch } from '../sandbox/launch.ts';
import { findPython, type Python } from '../sandbox/python.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { followOutput } from './follow.ts';
import { cgroupPlace, deadlineOf, holdJob, limitsOf } from './limits.ts';
import { type Aliases, cleanLog, judge, lastBytes } from './log.ts';
import { collectMetrics } from './metrics.ts';
import { type Ended, type LineOf, runProcess, type Stop } from './process.ts';

/**
 * How jobs are contained. `hidden` are folders that none may see, should they lie under a system folder. `withoutGroups`:
 * they are watched, also where control groups could hold them.
 */
export type Containment = { sandbox: Sandbox; hidden: readonly string[]; withoutGroups?: boolean };

/**
 * Copies a job's inputs into `dir` (empty, its own, by its real path), runs it there and takes its outputs; large ones
 * stand in `dir` afterwards, out of its reach. A copy, so that what a job gives depends on its input files alone, and a job that is
 * killed half way leaves nothing behind. Throws when that cannot be done (a full disk, no data), and where the copy
 * is not what `identity` names: who asked for the job may have left, and its folder may be going.
 * `gpus` are the UUIDs of those that it may use. `say` is told the output of a job that takes long, while it runs.
 */
export async function execute(
  { sandbox, hidden, withoutGroups }: Containment,
  dir: string,
  spec: JobSpec,
  identity: string,
  gpus: readonly string[],
  signal: AbortSignal,
  say: (text: string) => void = () => {},
): Promise<Result> {
  const work = join(dir, 'work');
  const status = join(dir, 'status');
  // Synchronous throughout: this process has nothing better to do, and it is several times cheaper.
  copyInputs(spec, work);
  if (identify({ ...spec, folder: work }) !== identity)
    throw new Error('its files changed while they were copied');
  const data = realpathSync.native(join(spec.data.dir, sep));
  // The sandbox mounts the data instead.
  if (sandbox.bwrap === null) symlinkSync(data, join(work, 'data'));
  const limits = limitsOf(spec);
  const { outputBytes } = limits;
  const python = spec.runtime === 'python' ? await pythonHere() : null;
  const place = withoutGroups ? null : await cgroupPlace();
  const hold = holdJob(place, limits, work, sandbox.bwrap === null ? null : status);
  let ended: Ended;
  let heard: Heard;
  let struck: Awaited<ReturnType<typeof hold.close>>;
  try {
    const { doors } = hold;
    const { aliases, ...started } = launch(sandbox, {
      spec,
      work,
      data,
      status,
      doors,
      gpus,
      hidden,
      python,
    });
    const { line, end } = listen(spec, aliases, say);
    const bounds = {
      seconds: deadlineOf(spec),
      // More than is asked for: replacing paths makes it shorter, and a crash report is cut out of it.
      outputBytes: outputBytes + 16_384,
    };
    ended = await runProcess({ ...started, ...bounds }, signal, {
      line,
      look: hold.look,
      waits: hold.waits,
      end: hold.end,
    });
    ended.output = cleanLog(ended.output, aliases);
    heard = end();
  } finally {
    struck = await hold.close();
  }
  if (ended.cause === 'exit' && struck !== null && struck !== 'machine') ended.cause = struck;
  const fault = struck === 'machine' ? 'no memory is left' : faultOfMachine(sandbox, ended, dir);
  const { prunedAt, metrics } = heard;
  const verdict =
    fault === null
      ? judge(ended, { ...limits, command: spec.command[0] ?? '', prunedAt, overran: hold.overran() })
      : { kind: 'lost' as const, reason: fault, log: ended.output };
  const common = {
    log: lastBytes(verdict.log, outputBytes),
    ms: Math.round(ended.ms * 10) / 10,
    // Of what never ran there is no level.
    ...(fault === null && { sandbox: sandbox.level }),
    ...(metrics.length > 0 && { metrics }),
  };
  if (verdict.kind !== 'done') return { outcome: { ...verdict, ...common }, files: [] };
  const files = await collectOutputs(work, spec.outputs, join(dir, 'out'));
  return { outcome: { kind: 'done', ...common, outputs: files.map((file) => file.path) }, files };
}

/** What a job's output gave: its metrics, and the step at which its curve had it stopped. */
type Heard = { metrics: Metric[]; prunedAt: number | null };

/** Takes a job's output line by line: tells it, keeps the metrics of its stdout, and says when its curve has it stopped. */
function listen({ prune }: JobSpec, aliases: Aliases, say: (text: string) => void) {
  const follower = followOutput(aliases, say);
  const metrics = collectMetrics();
  const isDominated = prune ? watchCurve(prune) : () => false;
  let prunedAt: number | null = null;
  return {
    line(text: string, { stream, overwritten }: LineOf): Stop | null {
      // A progress bar would soon use up what may be told.
      if (!overwritten) follower.line(text);
      const metric = stream === 'stdout' ? metrics.line(text) : null;
      if (metric === null || !isDominated(metric)) return null;
      prunedAt = metric.step;
      return 'pruned';
    },
    end(): Heard {
      follower.end();
      return { metrics: metrics.kept(), prunedAt };
    },
  };
}

async function pythonHere(): Promise<Python> {
  const { python, why } = await findPython();
  if (python === null) throw new Error(why);
  return python;
}

function copyInputs(spec: JobSpec, work: string): void {
  mkdirSync(work);
  const inputs = listInputs(spec.folder, spec.outputs);
  for (const folder of new Set(inputs.map(dirname))) {
    if (folder !== '.') mkdirSync(join(work, folder), { recursive: true });
  }
  for (const path of inputs)
    copyFileSync(join(spec.folder, path), join(work, path), constants.COPYFILE_FICLONE);
}

/**
 * Failures that are not the job's, though they look it: the sandbox could not be set up (it says itself whether the
 * job has run, so no job can feign this), or the disk is full. Null when there is none.
 */
function faultOfMachine(sandbox: Sandbox, ended: Ended, dir: string): string | null {
  const log = ended.output;
  if (ended.cause !== 'exit' || ended.code === 0) return null;
  if (!existsSync(join(dir, 'status'))) return `the job could not be set up: ${log.trim()}`;
  if (sandbox.bwrap !== null && log.startsWith('bwrap: ') && !log.startsWith('bwrap: execvp ')) {
    const hasRun = readFileSync(join(dir, 'status'), 'utf8').includes('"exit-code"');
    if (!hasRun) return `the sandbox could not be set up: ${log.trim()}`;
  }
  if (/ENOSPC|EDQUOT|No space left|quota exceeded/i.test(log)) {
    const { bavail, bsize } = statfsSync(dir);
    if (bavail * bsize < 16 * 2 ** 20) return 'the disk is full';
  }
  return null;
}
