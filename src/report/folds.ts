import type { Result, Stop } from '../event.ts';
import { judge, LEAST_SEALED, leastP, VERDICT_ALPHA } from '../selection/verdict.ts';
import type { Report } from './model.ts';

/** What the report over folds needs: of each its sealed tasks, and its own report, null where it has not begun. */
export type FoldsInput = {
  folder: string;
  seed: number;
  suite: string;
  model: string;
  generations: number;
  folds: readonly { name: string; sealed: readonly SealedTask[]; report: Report | null }[];
  /** Why the last call ended, where whoever asks knows it better than the folds do. */
  stop?: Stop;
};

type SealedTask = { id: string; family: string; distance: 'near' | 'far' | null };

/** A task, sealed in one fold: means over its repeats of the baseline and of that fold's champion. */
export type FoldTask = {
  task: string;
  family: string;
  distance: 'near' | 'far' | null;
  fold: string;
  repeats: number;
  baseline: number;
  champion: number;
  gain: number;
};

export type FoldRow = {
  fold: string;
  /** Null where it has not begun. */
  stop: Stop | null;
  champion: { id: string; lineage: string; credited: boolean } | null;
  /** Champion − baseline on its search tasks, by which it was chosen, and on its sealed tasks; null where not measured. */
  searchGain: number | null;
  sealedGain: number | null;
  sealed: number;
  trials: number;
};

/** The report over all folds, as data: `report.json` in their folder, and what `--json` prints. */
export type FoldsReport = Pick<Result, 'stop' | 'generations' | 'gain' | 'near' | 'far' | 'verdict'> & {
  run: string;
  seed: number;
  suite: string;
  model: string;
  baseline: string | null;
  /** The one champion of all folds; null where they have several, or are not through. */
  champion: string | null;
  folds: FoldRow[];
  /** Folds that were extended and now have another champion than the one that their sealed tasks were opened for. */
  outdated: string[];
  tasks: FoldTask[];
  trials: { run: number; cached: number; lost: number };
  cost: Report['cost'];
  wallMs: number;
};

/**
 * The result over all folds. Every task counts once, by its sealed gain: champion − baseline of the fold in which it was
 * sealed. Gain, interval (Student's t) and p (exact sign-flip test; sampled above 20) are over task means, and there
 * only once all folds are finished and no sealed score is missing. What they speak of is the search, over K champions. Pure.
 */
export function foldsReportOf(input: FoldsInput): FoldsReport {
  const { folder, seed, suite, model, generations, folds } = input;
  const reports = folds.flatMap(({ report }) => report ?? []);
  const done = folds.every(({ report }) => report?.stop === 'finished');
  const tasks = folds.flatMap(tasksOf);
  const champions = new Set(reports.map(({ champion }) => champion?.id));
  const outdated = folds
    .filter(({ sealed, report }) => report?.stop === 'finished' && sealedRows(report).length < sealed.length)
    .map(({ name }) => name);
  const unfinished = folds.find(({ report }) => report?.stop !== 'finished');
  const sum = (value: (report: Report) => number) => reports.reduce((all, one) => all + value(one), 0);
  return {
    run: folder,
    stop: done ? 'finished' : (input.stop ?? unfinished?.report?.stop ?? 'interrupted'),
    generations,
    seed,
    suite,
    model,
    baseline: reports[0]?.baseline.id ?? null,
    champion: done && champions.size === 1 ? (reports[0]!.champion?.id ?? null) : null,
    ...verdictOver(done && outdated.length === 0 ? tasks : []),
    outdated,
    folds: folds.map(rowOf),
    tasks: tasks.sort((a, b) => (a.task < b.task ? -1 : 1)),
    trials: {
      run: sum(({ trials }) => trials.run),
      cached: sum(({ trials }) => trials.cached),
      lost: sum(({ trials }) => trials.lost),
    },
    cost: {
      usd: sum(({ cost }) => cost.usd),
      tokensIn: sum(({ cost }) => cost.tokensIn),
      tokensOut: sum(({ cost }) => cost.tokensOut),
      gpuMs: sum(({ cost }) => cost.gpuMs),
    },
    wallMs: sum(({ wallMs }) => wallMs),
  };
}

/** What is said beforehand where so few tasks allow no verdict; null where they suffice. */
export function tooFewTasks(tasks: number): string | null {
  if (tasks >= LEAST_SEALED) return null;
  return (
    `${tasks} tasks allow no verdict over all folds: the exact sign-flip test over ${tasks} cannot go under p = ${leastP(tasks).toPrecision(2)}, ` +
    `and the level is ${VERDICT_ALPHA}; it takes ${LEAST_SEALED}`
  );
}

type Input = FoldsInput['folds'][number];

function tasksOf({ name, sealed, report }: Input): FoldTask[] {
  if (report?.stop !== 'finished') return [];
  const known = new Map(sealed.map((task) => [task.id, task]));
  return sealedRows(report).map(({ task, repeats, baseline, champion }) => ({
    task,
    family: known.get(task)?.family ?? '',
    distance: known.get(task)?.distance ?? null,
    fold: name,
    repeats,
    baseline,
    champion,
    gain: champion - baseline,
  }));
}

function sealedRows({ tasks, champion }: Report): Report['tasks'] {
  return champion?.sealed == null ? [] : tasks.filter((row) => row.role === 'sealed');
}

function rowOf({ name, sealed, report }: Input): FoldRow {
  const { champion = null, baseline = null } = report ?? {};
  const gainOn = (role: 'search' | 'sealed') => {
    const [own, reference] = [champion?.[role] ?? null, baseline?.[role] ?? null];
    // Before its end a fold has raw means over different trials, which do not compare.
    return report?.stop === 'finished' && own !== null && reference !== null ? own - reference : null;
  };
  return {
    fold: name,
    stop: report?.stop ?? null,
    champion: champion && { id: champion.id, lineage: champion.lineage, credited: champion.credited },
    searchGain: gainOn('search'),
    sealedGain: gainOn('sealed'),
    sealed: sealed.length,
    trials: report?.trials.run ?? 0,
  };
}

function verdictOver(tasks: readonly FoldTask[]): Pick<FoldsReport, 'gain' | 'near' | 'far' | 'verdict'> {
  const { gain, near, far, verdict } = judge(
    tasks.map(({ distance, ...row }) => ({ ...row, task: { distance } })),
  );
  return { gain, near, far, verdict: tasks.length === 0 ? 'not measured' : verdict };
}
