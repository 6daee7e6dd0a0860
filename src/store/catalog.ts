import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Low } from 'lowdb';
import type { RunConfig } from '../config.ts';
import type { Result, RunIdentity } from '../event.ts';
import { canonicalJson } from '../json.ts';
import type { Spent, State } from '../state.ts';
import { replaceFile } from './replace-file.ts';

/**
 * `run.json`: what the run was told and its headline figures, for people and other programs. All but `config` is
 * rebuilt from the journal; only `config` is ever read back, by `resume`, for what is no part of the run's identity:
 * where the suite lies, how many threads.
 */
export type Catalog = {
  version: 1;
  /** As the last call was told; null where `run.json` was lost. */
  config: RunConfig | null;
  identity: RunIdentity | null;
  /** How many generations were asked for, and the last whose barrier is passed (−1: none). */
  generations: number;
  generation: number;
  baseline: string;
  candidates: number;
  dropped: number;
  refused: number;
  lessons: number;
  trials: Spent;
  /** The survivor with the highest shrunk difference to the baseline, as of the last barrier. */
  best: { id: string; lineage: string; shrunk: number; score: number } | null;
  champion: string | null;
  result: Result | null;
};

/** The catalogue that belongs to a state. Takes time with the survivors, not with the run's length. */
export function rebuildCatalog(state: State, config: RunConfig | null = null): Catalog {
  return {
    version: 1,
    config,
    identity: state.identity,
    generations: state.generations,
    generation: state.generation,
    baseline: state.baseline,
    candidates: state.candidates.size,
    dropped: state.dropped.size,
    refused: state.refused,
    lessons: state.lessons.size,
    trials: { ...state.spent },
    best: bestOf(state),
    champion: state.champion,
    result: state.result,
  };
}

/**
 * Writes `run.json` in the run's folder, if it says something else; to be called at barriers only. Without `config`,
 * the one that stands there stays. Rejects with a `UserError` on a full disk, and the old file stays.
 */
export async function writeCatalog(dir: string, state: State, config?: RunConfig): Promise<void> {
  const path = join(dir, 'run.json');
  const catalog = new Low<Catalog | null>(wholeFile(path), null);
  await catalog.read();
  const rebuilt = rebuildCatalog(state, config ?? catalog.data?.config ?? null);
  if (canonicalJson(catalog.data) === canonicalJson(rebuilt)) return;
  catalog.data = rebuilt;
  await catalog.write();
}

/** What the last call on the run in `dir` was told, or null where that is not known. */
export async function readConfigOf(dir: string): Promise<RunConfig | null> {
  return (await wholeFile(join(dir, 'run.json')).read())?.config ?? null;
}

/** lowdb's own adapter does not fsync, and a broken file would stop it; here a broken one counts as none. */
function wholeFile(path: string) {
  return {
    async read(): Promise<Catalog | null> {
      try {
        return JSON.parse(await readFile(path, 'utf8')) as Catalog;
      } catch {
        return null;
      }
    },
    write: (data: Catalog | null) => replaceFile(path, `${JSON.stringify(data, null, 2)}\n`),
  };
}

function bestOf(state: State): Catalog['best'] {
  let best: Catalog['best'] = null;
  for (const id of state.survivors) {
    const estimate = state.estimates.get(id);
    const candidate = state.candidates.get(id);
    if (!estimate || !candidate || (best && estimate.shrunk <= best.shrunk)) continue;
    best = { id, lineage: candidate.lineage, shrunk: estimate.shrunk, score: estimate.score };
  }
  return best;
}
