import {
  constants,
  copyFileSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { listInputs } from './inputs.ts';
import type { JobSpec } from './job.ts';
import { cleanLog, judge, lastBytes } from './log.ts';
import { type Ended, runProcess } from './process.ts';
import { collectOutputs, type Result } from './result.ts';
import { launch, type Sandbox } from './sandbox.ts';

/** How jobs are contained. `hidden` are folders that none may see, should they lie under a system folder. */
export type Containment = { sandbox: Sandbox; hidden: readonly string[] };

/**
 * Copies a job's inputs into `dir` (empty, its own, by its real path), runs it there and takes its outputs; large ones
 * still stand in `dir` afterwards. A copy, so that what a job gives depends on its input files alone, and a job that is
 * killed half way leaves nothing behind. Throws when that cannot be done (a full disk, no data).
 * `gpus` are the UUIDs of those that it may use.
 */
export async function execute(
  { sandbox, hidden }: Containment,
  dir: string,
  spec: JobSpec,
  gpus: readonly string[],
  signal: AbortSignal,
): Promise<Result> {
  const work = join(dir, 'work');
  const status = join(dir, 'status');
  // Synchronous throughout: this process has nothing better to do, and it is several times cheaper.
  copyInputs(spec, work);
  const data = realpathSync.native(join(spec.data.dir, sep));
  // The sandbox mounts the data instead.
  if (sandbox.bwrap === null) symlinkSync(data, join(work, 'data'));
  const { command } = spec;
  const { memoryMb, seconds, outputBytes } = spec.limits;
  const { aliases, ...started } = launch(sandbox, {
    command,
    work,
    data,
    status,
    memoryMb,
    seconds,
    gpus,
    hidden,
  });
  // More than is asked for is kept: replacing paths makes it shorter, and a crash report is cut out of it.
  const deadline = gpus.length > 0 ? seconds : 10 * seconds + 30;
  const ended = await runProcess(
    { ...started, seconds: deadline, outputBytes: outputBytes + 16_384 },
    signal,
  );
  const whole = cleanLog(ended.output, aliases);
  const fault = faultOfMachine(sandbox, ended, whole, dir);
  const ms = Math.round(ended.ms * 10) / 10;
  if (fault !== null)
    return { outcome: { kind: 'lost', reason: fault, log: lastBytes(whole, outputBytes), ms }, files: [] };
  const verdict = judge(ended, whole, command[0] ?? '');
  const log = lastBytes(verdict.log, outputBytes);
  if (verdict.kind !== 'done') return { outcome: { ...verdict, log, ms }, files: [] };
  const files = collectOutputs(work, spec.outputs);
  return { outcome: { kind: 'done', log, ms, outputs: files.map((file) => file.path) }, files };
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
function faultOfMachine(sandbox: Sandbox, ended: Ended, log: string, dir: string): string | null {
  if (ended.cause !== 'exit' || ended.code === 0) return null;
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
