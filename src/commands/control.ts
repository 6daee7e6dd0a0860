import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Control, RunConfig } from '../config.ts';
import { UserError } from '../errors.ts';
import type { Event, Result, RunIdentity } from '../event.ts';
import { evolve } from '../evolve.ts';
import { barriersOf, requestedTrials } from '../report/clock.ts';
import type { ArmFigures, ControlFile } from '../report/control.ts';
import { counted } from '../report/format.ts';
import { figuresOf, resample } from '../resample.ts';
import { baselineScores, bestOfDraws, luckOfTheBest, resampleCells } from '../selection/resample.ts';
import { strategyOf } from '../selection/strategy.ts';
import { taskMeans } from '../selection/task-means.ts';
import { CONTROLS } from '../settings.ts';
import { readControl, writeControl } from '../store/control-file.ts';
import { hasBegun } from '../store/folds.ts';
import { type RunReading, readRun } from '../store/run-dir.ts';
import { readTrajectory } from '../store/trajectory-file.ts';
import type { Suite } from '../suite/suite.ts';
import { armConfig } from './control-arms.ts';
import type { Halt } from './models.ts';
import { displayed } from './read-report.ts';
import { remaining } from './remaining.ts';
import { type SearchParts, search } from './search.ts';
import { groundOf } from './search-forecast.ts';

type Ended = { dir: string; result: Result; halt: Halt | null };

/** Whether arms of a finished run are still to be run, or to be compared with it. */
export async function isControlPending(dir: string, { control }: RunConfig): Promise<boolean> {
  const compared = readControl(dir)?.arms.map(({ arm }) => arm) ?? [];
  if (control.some((arm) => !compared.includes(arm))) return true;
  for (const arm of control) if (!(await isFinished(armDir(dir, arm)))) return true;
  return false;
}

/** Throws a `UserError` for a run that is to be extended, but has control arms of its present length. */
export function refuseExtended(dir: string): void {
  if (!existsSync(join(dir, 'control'))) return;
  throw new UserError(
    `${dir} has control arms, which have as many trials as it has now`,
    'begin a new run with more generations, or move its folder `control` away first',
  );
}

/**
 * Runs the control arms of a search that has finished, each a run of its own in `control/<arm>/` of its folder, with as many
 * trials as the search asked for and the same founders, seed and sealed test, and writes `control.json`; does nothing
 * where none is asked for. Arms of earlier calls stand there too. Budgets and `--max-time` hold for all together. Resolves with the search's own end, or with the
 * first arm that was stopped.
 */
export async function runControls(parts: SearchParts, main: Ended): Promise<Ended> {
  const { config, suite, founders } = parts;
  if (config.control.length === 0) return main;
  const ground = groundOf(config, suite, founders);
  const dirs = config.control.map((arm) => armDir(main.dir, arm));
  const others = CONTROLS.filter((arm) => !config.control.includes(arm)).map((arm) => armDir(main.dir, arm));
  const left = remaining(config, [main.dir, ...dirs, ...others]);
  const trials = requestedTrials((await readAll(main.dir)).events);
  for (const [i, arm] of config.control.entries()) {
    if (await isFinished(dirs[i]!)) continue;
    const maxTimeMs = left.ms();
    if (maxTimeMs === 0) return { ...main, result: { ...main.result, stop: 'max-time' } };
    const own = { ...armConfig(config, arm, trials, ground), out: dirs[i]!, maxTimeMs };
    if (!parts.output.quiet) {
      const most = counted(own.search.searchTrials!, 'trial');
      parts.context.note(`evolve: control arm ${arm}: at most ${most}, in ${displayed(dirs[i]!)}`);
    }
    const ended = await search({
      ...parts,
      config: { ...own, ...(await left.budgets(i + 1)) },
      identity: armIdentity(parts.identity, own, arm),
      hidden: [...(parts.hidden ?? []), main.dir],
      body: arm === 'resample' ? resample : evolve,
    });
    if (ended.result.stop !== 'finished') {
      return { ...main, result: { ...main.result, stop: ended.result.stop }, halt: ended.halt };
    }
  }
  await writeControl(main.dir, await comparison(parts, main));
  return main;
}

/** The run beside all its arms that are finished, and those of whom only the figures are left. */
async function comparison({ config, suite }: SearchParts, main: Ended): Promise<ControlFile> {
  const champion = main.result.champion!.id;
  const before = readControl(main.dir);
  const arms = [await searchFigures(strategyOf(config), main.dir, suite)];
  for (const arm of CONTROLS) {
    const dir = armDir(main.dir, arm);
    const known = before?.champion === champion ? before.arms.slice(1).find((one) => one.arm === arm) : null;
    if (!(await isFinished(dir))) arms.push(...(known ? [known] : []));
    else if (arm === 'resample') arms.push(await resampleFigures(main.dir, dir, suite));
    else arms.push(await searchFigures(arm, dir, suite));
  }
  return { version: 1, champion, arms };
}

function armIdentity(identity: RunIdentity, { search: settings }: RunConfig, arm: Control): RunIdentity {
  return { ...identity, search: settings, ...(arm === 'resample' ? { control: arm } : {}) };
}

async function searchFigures(arm: ArmFigures['arm'], dir: string, suite: Suite): Promise<ArmFigures> {
  const { state, events } = await readAll(dir);
  const result = state.result!;
  const { id, search: own } = result.champion!;
  const identity = state.identity!;
  const rows = taskMeans({ identity, state }, id, sealedOf(suite), identity.search.sealedRepeats);
  const known = own !== null && result.baseline.search !== null;
  return {
    arm,
    trials: requestedTrials(events),
    generations: result.generations,
    gain: result.gain,
    believed: known ? own - result.baseline.search! : null,
    tasks: rows.map(({ task, gain }) => ({ task: task.id, gain })),
    barriers: barriersOf(events),
  };
}

/** Luck is told from the baseline's trials in the run's own search. */
async function resampleFigures(main: string, dir: string, suite: Suite): Promise<ArmFigures> {
  const { state, trialDir } = await readAll(dir);
  const identity = state.identity!;
  const spent = identity.search.searchTrials!;
  const cells = resampleCells({ identity, state }, sealedOf(suite), spent);
  const figures = await figuresOf(cells, (trial) => readTrajectory(trialDir(trial)));
  const rows = bestOfDraws({ state }, cells, (id) => figures.get(id) ?? null);
  const block = Math.max(1, suite.tasks.filter(({ role }) => role === 'search').length);
  const luck = luckOfTheBest(baselineScores(await readAll(main)), Math.floor(spent / block));
  return {
    arm: 'resample',
    trials: cells.reduce((sum, { draws }) => sum + draws.length - 1, 0),
    generations: 0,
    gain: state.result!.gain,
    believed: null,
    tasks: rows.map(({ task, gain }) => ({ task: task.id, gain })),
    barriers: [],
    luck,
  };
}

async function readAll(dir: string): Promise<RunReading & { events: Event[] }> {
  const events: Event[] = [];
  const reading = await readRun(dir, (event) => events.push(event));
  return { ...reading, events };
}

async function isFinished(dir: string): Promise<boolean> {
  return (await hasBegun(dir)) && (await readRun(dir)).state.result?.stop === 'finished';
}

function armDir(dir: string, arm: Control): string {
  return join(dir, 'control', arm);
}

function sealedOf(suite: Suite) {
  return suite.tasks.filter(({ role }) => role === 'sealed');
}
