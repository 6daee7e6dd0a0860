import type { Candidate, Event, GeneChange, Operator, OperatorRecord, Result } from '../event.ts';
import type { JobRecord } from '../jobs/runner.ts';
import type { Totals } from '../llm/ledger-book.ts';
import type { State } from '../state.ts';
import type { Attribution } from './attribution.ts';
import type { ControlFile } from './control.ts';
import { ancestryOf, gainOf, type LineageRow, lineagesOf, mergedLineage } from './lineages.ts';
import { type ModelsReport, modelsOf, type Narrowed } from './models.ts';
import { type Pruning, pruningOf } from './pruning.ts';
import { type Saved, savedByRacing } from './racing.ts';
import { type SandboxRow, sandboxOf } from './sandbox.ts';
import { countTrials, type TaskRow, taskRows, triedOf } from './trials.ts';
import { usedBy } from './used.ts';

/** What the report needs beside the journal. */
export type ReportInput = {
  /** The run's folder, as the user named it. */
  folder: string;
  state: State;
  /** How the run ended, or how it stands. */
  result: Result;
  events: readonly Event[];
  /** What is known of the tasks: family, and near or far for sealed ones; empty when the suite is not there. */
  tasks: readonly { id: string; family: string; distance: 'near' | 'far' | null }[];
  /** The gene changes between two genomes of the run, by id. */
  diff(before: string, after: string): GeneChange[];
  /** Every job that was asked for, as far as that was noted. */
  jobs: readonly JobRecord[];
  /** What the ledger says, and where an endpoint took other values than the genome says. */
  models: { spending: Totals | null; narrowed: Narrowed[] };
  /** What `evolve attribute` found, of whichever champion; null where it was not asked. */
  attribution?: Attribution | null;
  /** How the run compares with its control arms. */
  control?: ControlFile | null;
  wallMs: number;
};

export type AncestryRow = {
  id: string;
  generation: number;
  operator: Operator;
  lineage: string;
  /** The second parent's lineage, for a crossover. */
  merged: string | null;
  hypothesis: string;
  gain: number | null;
  changes: GeneChange[];
};

export type LessonRow = {
  id: string;
  symptom: string;
  advice: string;
  genes: string[];
  lineage: string;
  generation: number;
  bred: number;
  gain: number;
  retired: boolean;
  /** Stood in a prompt that an ancestor of the champion was bred from. */
  inChampion: boolean;
};

/** One line of the run's course: over all candidates measured in this generation. */
export type GenerationRow = {
  generation: number;
  measured: number;
  dropped: number;
  /** Highest and median believed difference to the baseline. */
  best: number;
  median: number;
  /** Mean raw score of the one with the highest difference. */
  score: number;
};

/** Everything that a report shows, as data: report.json. Scores and gains are in points of 1. */
export type Report = Result & {
  run: string;
  seed: number;
  population: number;
  suite: string;
  /** Tasks that an audit found unfit: `<id>: <why>`; left out where there is none. */
  leftOut?: string[];
  model: string;
  models: ModelsReport;
  candidates: number;
  refused: number;
  trials: { run: number; cached: number; lost: number };
  /** Why most of the lost trials were lost; null where none was. */
  lostTo: string | null;
  cost: { usd: number; tokensIn: number; tokensOut: number; gpuMs: number };
  /** Jobs that ran and jobs that the cache answered; null when nothing is known. */
  jobs: { run: number; hits: number; ms: number } | null;
  /** What stood around the agents' code, trial by trial. */
  sandbox: SandboxRow[];
  /** Left out where nobody was dropped. */
  racing?: Saved;
  /** Left out where no job could be stopped early. */
  pruning?: Pruning;
  wallMs: number;
  lineages: LineageRow[];
  /** From the baseline to the champion. */
  changes: GeneChange[];
  /** Which of these changes carried the gain; left out where that was not measured for this champion. */
  attribution?: Attribution;
  /** Left out where the run has no control arms, or their comparison was of another champion. */
  control?: ControlFile;
  /** Founder first. */
  ancestry: AncestryRow[];
  lessons: { written: number; retired: number; helped: LessonRow[] };
  operators: Record<string, OperatorRecord>;
  course: GenerationRow[];
  tasks: TaskRow[];
};

/** The report of a run, from what its journal holds. Pure; a run that has not ended gives what there is so far. */
export function reportOf(input: ReportInput): Report {
  const { state, events } = input;
  const { spent } = state;
  // The ledger knows of calls that no outcome has: of mutator and critic, of trials that were lost. Without one nobody
  // was paid: what outcomes say then was paid when the cassette was recorded.
  const paid = input.models.spending ?? { ...spent, usd: 0 };
  const trials = triedOf(state);
  const { result } = input;
  const pruning = pruningOf(input.jobs);
  const racing = savedByRacing(events, searchTasks(state), state.identity?.search.firstTasks ?? 0);
  const champion = result.champion ? state.candidates.get(result.champion.id) : undefined;
  const ancestors = champion ? ancestryOf(champion, state) : [];
  // A run that was extended may have another champion than the one that was looked at.
  const control = input.control?.champion === champion?.id ? input.control : null;
  const attribution = input.attribution?.champion === champion?.id ? input.attribution : null;
  return {
    ...result,
    run: input.folder,
    seed: state.identity?.seed ?? 0,
    population: state.identity?.population ?? 0,
    suite: state.identity?.suite ?? '',
    ...(state.identity?.leftOut ? { leftOut: state.identity.leftOut } : {}),
    model: state.identity?.model ?? '',
    models: modelsOf(state, events, input.models),
    candidates: state.candidates.size,
    refused: state.refused,
    trials: countTrials(events, trials),
    lostTo: commonestLoss(state),
    cost: { usd: paid.usd, tokensIn: paid.tokensIn, tokensOut: paid.tokensOut, gpuMs: spent.gpuMs },
    jobs: jobsOf(input.jobs),
    sandbox: sandboxOf(trials, input.jobs),
    ...(racing ? { racing } : {}),
    ...(pruning ? { pruning } : {}),
    wallMs: input.wallMs,
    lineages: lineagesOf(state, trials, input.jobs, input.diff),
    changes: champion && champion.id !== state.baseline ? input.diff(state.baseline, champion.id) : [],
    ...(attribution ? { attribution } : {}),
    ...(control ? { control } : {}),
    ancestry: ancestors.map((candidate) => ancestryRow(candidate, state)),
    lessons: lessonsOf(state, ancestors),
    operators: Object.fromEntries(state.operators),
    course: courseOf(events),
    tasks: champion ? taskRows(trials, input.tasks, state.baseline, champion.id) : [],
  };
}

function jobsOf(records: readonly JobRecord[]): Report['jobs'] {
  const { jobs, hits } = usedBy(records.filter(({ kind }) => kind !== 'lost'));
  const ms = records.reduce((sum, { kind, runMs }) => sum + (kind === 'lost' ? 0 : runMs), 0);
  return jobs + hits === 0 ? null : { run: jobs, hits, ms };
}

function commonestLoss({ outcomes }: State): string | null {
  const times = new Map<string, number>();
  for (const outcome of outcomes.values()) {
    if (outcome.kind === 'lost') times.set(outcome.reason, (times.get(outcome.reason) ?? 0) + 1);
  }
  return [...times].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? null;
}

function ancestryRow(candidate: Candidate, state: State): AncestryRow {
  const { id, generation, operator, lineage, hypothesis, changes } = candidate;
  const merged = mergedLineage(candidate, state);
  return { id, generation, operator, lineage, merged, hypothesis, gain: gainOf(id, state), changes };
}

function lessonsOf(state: State, ancestors: readonly Candidate[]): Report['lessons'] {
  const used = new Set(ancestors.flatMap((candidate) => candidate.lessons));
  const rows = [...state.lessons.values()].flatMap((lesson): LessonRow[] => {
    const record = state.lessonRecords.get(lesson.id);
    if (!record || record.bred === 0) return [];
    const { id, symptom, advice, genes, lineage, generation } = lesson;
    return [{ id, symptom, advice, genes, lineage, generation, ...record, inChampion: used.has(id) }];
  });
  return {
    written: state.lessons.size,
    retired: [...state.lessonRecords.values()].filter((record) => record.retired).length,
    helped: rows
      .filter((row) => row.gain > 0 && !row.retired)
      .sort((a, b) => b.gain - a.gain || (a.id < b.id ? -1 : 1))
      .slice(0, 12),
  };
}

function courseOf(events: readonly Event[]): GenerationRow[] {
  const dropped = new Map<number, number>();
  const rows: GenerationRow[] = [];
  for (const event of events) {
    if (event.type === 'dropped') dropped.set(event.generation, (dropped.get(event.generation) ?? 0) + 1);
    if (event.type !== 'generation') continue;
    const estimates = Object.values(event.estimates).sort((a, b) => b.shrunk - a.shrunk);
    if (estimates.length === 0) continue;
    rows.push({
      generation: event.generation,
      measured: estimates.length,
      dropped: dropped.get(event.generation) ?? 0,
      best: estimates[0]!.shrunk,
      median: estimates[Math.floor(estimates.length / 2)]!.shrunk,
      score: estimates[0]!.score,
    });
  }
  return rows;
}

/** How many search tasks the trials of the run are on. */
function searchTasks({ trials }: State): number {
  const tasks = new Set<string>();
  for (const { role, task } of trials.values()) if (role === 'search') tasks.add(task);
  return tasks.size;
}
