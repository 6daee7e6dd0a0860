import type { JobOutcome, JobSpec } from '../job.ts';
import { isTimed } from '../process/limits.ts';
import { lastBytes } from '../process/log.ts';
import type { Result } from '../result.ts';
import { meaningOf } from './states.ts';

/** How a job ended that left no result. `state` as Slurm knows it, null where it knows nothing; `log` its output so far. */
export type Remains = { state: string | null; log: string; ms: number; said: string };

/** May a result mean something else once it is known how Slurm ended the job? */
export function needsState({ outcome }: Result): boolean {
  return outcome.kind === 'lost' || (outcome.kind === 'failed' && outcome.exitCode === KILLED);
}

/** A result in the light of how Slurm ended the job: what was killed from outside may have been killed by it. */
export function inTheLightOf(spec: JobSpec, state: string | null, result: Result): Result {
  const meaning = state === null ? null : meaningOf(state);
  if (meaning === null || meaning === 'over' || !needsState(result)) return result;
  const { log, ms } = result.outcome;
  return withoutResult(spec, { state, log, ms, said: '' });
}

/** The result of a job that left none. */
export function withoutResult(spec: JobSpec, { state, log, ms, said }: Remains): Result {
  const told = { log: lastBytes(log, spec.limits.outputBytes), ms };
  const lost = (reason: string): JobOutcome => ({ kind: 'lost', reason, ...told });
  const last = said === '' ? '' : `: ${said}`;
  const meaning = state === null ? null : meaningOf(state);
  if (meaning === 'out-of-memory') return { outcome: { kind: 'out-of-memory', ...told }, files: [] };
  if (meaning === 'timeout' && isTimed(spec)) return { outcome: { kind: 'timeout', ...told }, files: [] };
  if (meaning === null) return { outcome: lost('unknown to Slurm, and it left no result'), files: [] };
  if (meaning === 'over') return { outcome: lost(`it left no result (${state})${last}`), files: [] };
  return { outcome: lost(`Slurm ended it (${state})`), files: [] };
}

/** 128 + SIGKILL. */
const KILLED = 137;
