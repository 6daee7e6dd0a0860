import { lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAgent, type Transcript } from '../agent/run-agent.ts';
import { TrialLost } from '../agent/trial-lost.ts';
import { messageOf } from '../errors.ts';
import type { Genome } from '../genome/genome.ts';
import type { Curve, PruneRule } from '../jobs/curve.ts';
import { identify } from '../jobs/identify.ts';
import type { JobOutcome, JobSpec } from '../jobs/job.ts';
import { hashJson } from '../json.ts';
import { type Llm, LlmError } from '../llm/llm.ts';
import type { Profile } from '../llm/profile.ts';
import { usedSampling } from '../llm/wire.ts';
import { redact } from '../secrets.ts';
import type { Task } from '../suite/suite.ts';
import { makeScratch, removeScratch } from './scratch.ts';
import type { TrialSpec } from './trial.ts';

/** What a trial asks of whoever runs it: a worker thread gives it over a port, a test gives it itself. */
export type TrialHost = {
  /** The trial's folder; made here, and cleared of all but `calls.jsonl`. */
  folder: string;
  /** Keeps what it answers in `calls.jsonl` (`withReplay`), also an answer that comes too late to be used. */
  llm: Llm;
  /** The model's name, as the endpoint knows it. */
  model: string;
  /** What is known of the model behind an endpoint; null for one that takes every request as it is. */
  profile: Profile | null;
  /** When its trainings are stopped early. */
  prune?: PruneRule | undefined;
  /** Runs a job; never rejects. */
  runJob(spec: JobSpec, identity: string): Promise<JobOutcome>;
  /** Ends the trial at its next model call or job, or in the middle of one: it is then lost. */
  signal: AbortSignal;
};

/**
 * How a trial went, before grading. JSON, crosses threads. `lost` is the infrastructure's doing; `unwritable`
 * means that the disk took no more; `crashed` is a fault in this program, with its stack.
 */
export type TrialReport =
  | {
      kind: 'finished';
      end: Transcript['end'];
      /** Whether `submission.csv` stands in the trial's folder. */
      submission: boolean;
      turns: number;
      tokensIn: number;
      tokensOut: number;
      /** What its calls cost that gave a reply. */
      usd: number;
      /** Identities of the jobs, in order. */
      jobs: string[];
      /** Sum over jobs that held a GPU, as first measured. */
      gpuMs: number;
      /** Of its first whole training, where the task compares jobs by a metric. */
      curve?: Curve;
      /** Paths of the genes that did something, sorted. */
      active: string[];
    }
  | { kind: 'lost'; reason: string }
  | { kind: 'unwritable'; reason: string }
  | { kind: 'crashed'; stack: string };

/**
 * Runs one trial in `host.folder` and leaves there `trajectory.json`, `calls.jsonl`, `memory.md`, `logs/` and,
 * if there is one, `submission.csv`. Never rejects. Replies that an earlier attempt left in `calls.jsonl` are
 * used again, so that a trial that was cut off goes on from where it was.
 */
export async function runTrial(
  genome: Genome,
  task: Task,
  spec: TrialSpec,
  host: TrialHost,
): Promise<TrialReport> {
  let scratch = '';
  try {
    prepareFolder(host.folder);
    scratch = makeScratch();
    let gpuMs = 0;
    const transcript = await runAgent(genome, task, {
      llm: (request) => untilAborted(host.signal, () => host.llm(request, host.signal)),
      model: host.model,
      ...narrowed(genome, host.profile),
      seed: spec.seed,
      folder: host.folder,
      scratch,
      prune: host.prune,
      job: async (job) => {
        const identity = identify(job);
        const outcome = await untilAborted(host.signal, () => host.runJob(job, identity));
        if (job.gpus > 0) gpuMs += outcome.ms;
        return { identity, outcome };
      },
    });
    writeFileSync(join(host.folder, 'trajectory.json'), redact(JSON.stringify(transcript.trajectory)));
    const { trajectory: _, ...report } = transcript;
    return { kind: 'finished', ...report, gpuMs };
  } catch (error) {
    return reportOf(error);
  } finally {
    if (scratch !== '') removeScratch(scratch);
  }
}

/** The sampling that the endpoint is told, where it cannot be told the genome's own. */
function narrowed({ sampling }: Genome, profile: Profile | null): { sampling?: Partial<Genome['sampling']> } {
  const used = profile === null ? sampling : usedSampling(sampling, profile);
  return hashJson(used) === hashJson(sampling) ? {} : { sampling: used };
}

function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === 'calls.jsonl' && lstatSync(path).isFile()) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** The call's result, or `TrialLost` as soon as the trial is cancelled; a cancelled trial calls nothing more. */
async function untilAborted<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  const lost = () => new TrialLost(messageOf(signal.reason));
  if (signal.aborted) throw lost();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(lost());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([call(), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const DISK_FULL = ['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG'];
const OUT_OF_RESOURCES = [
  'EMFILE',
  'ENFILE',
  'EIO',
  'ENOMEM',
  'EAGAIN',
  'ESTALE',
  'EBUSY',
  'EACCES',
  'EPERM',
];

function reportOf(error: unknown): TrialReport {
  if (error instanceof TrialLost || error instanceof LlmError) return { kind: 'lost', reason: error.message };
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  if (DISK_FULL.includes(code)) return { kind: 'unwritable', reason: messageOf(error) };
  if (OUT_OF_RESOURCES.includes(code)) return { kind: 'lost', reason: messageOf(error) };
  return { kind: 'crashed', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
