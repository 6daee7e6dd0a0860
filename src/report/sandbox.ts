import type { JobRecord } from '../jobs/runner.ts';
import { count, counted } from './format.ts';
import { groupBy, type Tried } from './trials.ts';

/**
 * What stood around an agent's code in a trial: `none` where one of its jobs ran without a sandbox; `unknown` where an older
 * version ran one, or a crash took what was noted; `no job` where it ran nothing.
 */
export type Level = 'bubblewrap' | 'none' | 'unknown' | 'no job';

/** The trials at a level. `ids` is null for the level with the most trials: all that are named nowhere else. */
export type SandboxRow = { level: Level; trials: number; ids: string[] | null };

/** The level that each trial had, the commonest first. */
export function sandboxOf(trials: readonly Tried[], jobs: readonly JobRecord[]): SandboxRow[] {
  const byTrial = groupBy(jobs, ({ trial }) => trial ?? '');
  const byLevel = groupBy(trials, (tried) => levelOf(tried, byTrial.get(tried.spec.id) ?? []));
  return [...byLevel]
    .map(([level, group]) => ({ level: level as Level, ids: group.map(({ spec }) => spec.id).sort() }))
    .sort((a, b) => b.ids.length - a.ids.length || (a.level < b.level ? -1 : 1))
    .map(({ level, ids }, i) => ({ level, trials: ids.length, ids: i === 0 ? null : ids }));
}

/** `all 6,106 trials under bubblewrap`, `400 trials under bubblewrap, 12 without a sandbox`; empty where there is no trial. */
export function sandboxText(rows: readonly SandboxRow[]): string {
  const parts = rows.map(
    ({ level, trials }, i) => `${i === 0 ? counted(trials, 'trial') : count(trials)} ${WORDS[level]}`,
  );
  return `${rows.length === 1 && rows[0]!.trials > 1 ? 'all ' : ''}${parts.join(', ')}`;
}

const WORDS: Record<Level, string> = {
  bubblewrap: 'under bubblewrap',
  none: 'without a sandbox',
  unknown: 'under what is not known',
  'no job': 'without any job',
};

/** The least of what its jobs had, those that the cache answered included. */
function levelOf({ outcome }: Tried, jobs: readonly JobRecord[]): Level {
  const levels = jobs.flatMap(({ kind, sandbox }) =>
    kind === 'lost' || kind === 'cancelled' ? [] : [sandbox],
  );
  if (levels.includes('none')) return 'none';
  if (levels.includes(null)) return 'unknown';
  if (levels.length > 0) return 'bubblewrap';
  return outcome.kind !== 'lost' && outcome.jobs.length > 0 ? 'unknown' : 'no job';
}
