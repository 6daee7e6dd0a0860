import { join, relative } from 'node:path';
import type { Event, Result } from '../event.ts';
import { unfinished } from '../finals.ts';
import { diffGenomes } from '../genome/diff.ts';
import type { Genome } from '../genome/genome.ts';
import { readLedger } from '../llm/ledger.ts';
import { profileOf } from '../llm/profiles.ts';
import { usedSampling } from '../llm/wire.ts';
import { type Report, type ReportInput, reportOf } from '../report/model.ts';
import type { Narrowed } from '../report/models.ts';
import { readAttribution } from '../store/attribution-file.ts';
import { readConfigOf } from '../store/catalog.ts';
import { readControl } from '../store/control-file.ts';
import { jobsIn, readJobsLog } from '../store/jobs-log.ts';
import { type RunReading, readRun } from '../store/run-dir.ts';

/** A run as it stands on the disk, also while another process writes it. */
export type RunOnDisk = RunReading & { report: Report };

/**
 * Reads a run and computes its report. `tasks` tells families, and near from far, where the suite is at hand.
 * `result` is how the run ended, where whoever asks has it at hand.
 */
export async function readReport(
  folder: string,
  tasks: ReportInput['tasks'] = [],
  result?: Result,
): Promise<RunOnDisk> {
  const events: Event[] = [];
  const times: number[] = [];
  const reading = await readRun(folder, (event, { at }) => {
    events.push(event);
    times.push(Date.parse(at));
  });
  const log = await readJobsLog(join(folder, 'jobs.jsonl'));
  const sessions = log
    .filter((line) => line.session === 'started')
    .map((line) => Date.parse(String(line.at)));
  const input = {
    folder: displayed(folder),
    state: reading.state,
    result: result ?? reading.state.result ?? unfinished(reading, reading.state.stopped ?? 'interrupted'),
    events,
    tasks,
    jobs: jobsIn(log),
    models: {
      spending: readLedger(join(folder, 'ledger.jsonl')),
      narrowed: await narrowedIn(folder, reading),
    },
    attribution: readAttribution(folder),
    control: readControl(folder),
    wallMs: workedMs(times, sessions),
  };
  // Which genomes the report compares is known when it has been made once; they are read, and it is made again.
  const wanted = new Set<string>();
  reportOf({
    ...input,
    diff(before, after) {
      wanted.add(before).add(after);
      return [];
    },
  });
  const genomes = new Map<string, Genome>();
  for (const id of wanted) genomes.set(id, await reading.loadGenome(id));
  const diff = (before: string, after: string) => diffGenomes(genomes.get(before)!, genomes.get(after)!);
  return { ...reading, report: reportOf({ ...input, diff }) };
}

/** Sampling genes of the champion that the agent's endpoint takes with other values, as far as that is known. */
async function narrowedIn(folder: string, { state, loadGenome }: RunReading): Promise<Narrowed[]> {
  const id = state.champion ?? state.baseline;
  if (!state.identity || !state.candidates.has(id)) return [];
  const config = await readConfigOf(folder);
  const { sampling } = await loadGenome(id);
  const used = usedSampling(sampling, profileOf(state.identity.model, config?.profiles));
  return Object.entries(used).flatMap(([name, value]) => {
    const told = sampling[name as keyof typeof sampling];
    return told === value ? [] : [{ path: `sampling.${name}`, told, used: value }];
  });
}

/** The path as people would type it. */
export function displayed(folder: string): string {
  const short = relative(process.cwd(), folder);
  return short === '' || short.startsWith('..') ? folder : short;
}

/**
 * How long the run was worked at: from the first to the last of `times` (of the journal's lines), without the
 * pauses between the calls, each of which noted when it started.
 */
function workedMs(times: readonly number[], sessions: readonly number[]): number {
  let sum = 0;
  let previous = times[0] ?? 0;
  const starts = [...sessions].sort((a, b) => a - b);
  for (const time of times) {
    const start = starts.findLast((at) => at > previous && at <= time);
    sum += Math.max(0, time - (start ?? previous));
    previous = Math.max(previous, time);
  }
  const first = starts[0];
  return sum + (first !== undefined && times[0] !== undefined ? Math.max(0, times[0] - first) : 0);
}
