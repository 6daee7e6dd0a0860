import type { Genome } from '../genome/genome.ts';
import type { JobOutcome, JobSpec } from '../jobs/job.ts';
import type { Llm } from '../llm/llm.ts';
import type { Task } from '../suite/suite.ts';
import type { Trajectory } from './trajectory.ts';

/** What a trial may ask of the world outside its folder. */
export type AgentHost = {
  llm: Llm;
  /** The model's name, as the endpoint knows it. */
  model: string;
  /** The trial's seed; turn t of the agent draws from (seed, t). */
  seed: number;
  /**
   * The trial's folder on this machine, existing and empty but for `calls.jsonl`. The agent works in `work/`
   * below it; `submission.csv` beside `work/` is the last valid submission, `memory.md` its notes, `logs/` the
   * output of its jobs.
   */
  folder: string;
  /** Asks for a job; `lost` outcomes make the trial lost. */
  job(spec: JobSpec): Promise<{ identity: string; outcome: JobOutcome }>;
};

/** How a trial went. `submission` says whether `submission.csv` stands in the trial's folder. */
export type Transcript = {
  end: 'submitted' | 'out-of-turns' | 'stopped-by-loop-guard';
  submission: boolean;
  turns: number;
  tokensIn: number;
  tokensOut: number;
  /** Identities of the jobs, in order. */
  jobs: string[];
  trajectory: Trajectory;
};

/** A fault of the infrastructure (endpoint, job runner) inside a trial: the trial is lost. */
export class TrialLost extends Error {
  override readonly name = 'TrialLost';
}

/** Runs the agent on a task. Rejects with `TrialLost` or `LlmError` for infrastructure, else resolves. */
export async function runAgent(_genome: Genome, _task: Task, _host: AgentHost): Promise<Transcript> {
  throw new Error('not built yet');
}
