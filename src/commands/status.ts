import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event, Stage } from '../event.ts';
import { clip, count, counted, span, table } from '../report/format.ts';
import { jobsByLineage, type Used, usedBy } from '../report/used.ts';
import type { Given } from '../settings.ts';
import type { State } from '../state.ts';
import { jobsIn, readJobsLog } from '../store/jobs-log.ts';
import { type Live, type LiveJob, readLive } from '../store/live.ts';
import { writerOf } from '../store/lock.ts';
import { readRun } from '../store/run-dir.ts';
import { type Context, EXIT } from './context.ts';
import { displayed } from './read-report.ts';

/** How a run stands, as `evolve status --json` prints it. */
export type Status = {
  run: string;
  /** `killed`: its process is gone without a word; `evolve resume` goes on. */
  state: 'running' | 'finished' | 'stopped' | 'killed';
  /** Who works on it, or did when it was killed. */
  process: { pid: number; host: string } | null;
  /** Why it was stopped. */
  stop: State['stopped'];
  /** Generations that are done, and those asked for. */
  generation: number;
  generations: number;
  /** What is being measured; null before the first trials and when nothing runs. */
  stage: { name: Stage; trials: number; tried: number } | null;
  /** Null while no process works on it. */
  slots: Live['slots'] | null;
  jobs: JobStatus[];
  used: { all: Used; lineages: (Used & { lineage: string })[] };
};

/** A job under way; it waits where `slot` is null. `forMs` is since it waits, or runs. */
export type JobStatus = Omit<LiveJob, 'asker'> & {
  trial: string | null;
  job: number | null;
  task: string | null;
  candidate: string | null;
  lineage: string | null;
  forMs: number;
};

/** `evolve status RUN`: how a run stands, what its jobs do, and what they took; also of one that has ended. */
export async function status(folder: string, flags: Given, context: Context): Promise<number> {
  const again = flags.watch === true && flags.json !== true && process.stdout.isTTY === true;
  const interrupted = again ? context.endOfWatching() : AbortSignal.abort();
  for (;;) {
    const found = await statusOf(folder);
    const text = flags.json === true ? JSON.stringify(found, null, 2) : statusText(found);
    context.print(again ? `\u001b[H\u001b[2J${text}` : text);
    if (!again || found.state !== 'running') return EXIT.finished;
    await sleep(WATCH_MS, null, { signal: interrupted }).catch(() => {});
    if (interrupted.aborted) return EXIT.interrupted;
  }
}

const WATCH_MS = 2000;

async function statusOf(folder: string): Promise<Status> {
  const writer = writerOf(folder);
  const live = readLive(folder);
  const course = newCourse();
  const { state } = await readRun(folder, course.follow);
  const running = writer?.alive === true;
  const jobs = jobsIn(await readJobsLog(join(folder, 'jobs.jsonl')));
  const lineageOf = (genome: string) => state.candidates.get(genome)?.lineage;
  return {
    run: displayed(folder),
    state: running ? 'running' : state.result ? 'finished' : writer ? 'killed' : 'stopped',
    process: writer && { pid: writer.pid, host: writer.host },
    stop: running || writer ? null : state.stopped,
    generation: state.generation + 1,
    generations: state.generations,
    stage: running ? course.stage() : null,
    slots: live?.slots ?? null,
    jobs: (live?.jobs ?? []).map((job) => jobStatus(job, lineageOf)),
    used: {
      all: usedBy(jobs),
      lineages: [...jobsByLineage(jobs, lineageOf)].map(([lineage, own]) => ({ lineage, ...usedBy(own) })),
    },
  };
}

/** The stage under way, as the journal tells it: the trials that were planned last, and which of them have ended. */
function newCourse(): { follow(event: Event): void; stage(): Status['stage'] } {
  let name: Stage | null = null;
  let planned = new Set<string>();
  let tried = 0;
  return {
    follow(event) {
      if (event.type === 'planned' && event.trials.length > 0) {
        name = event.stage;
        planned = new Set(event.trials);
        tried = 0;
      } else if (event.type === 'tried' && planned.has(event.trial.id)) {
        tried++;
      } else if (event.type === 'generation') {
        name = null;
      }
    },
    stage: () => name && { name, trials: planned.size, tried },
  };
}

function jobStatus(live: LiveJob, lineageOf: (genome: string) => string | undefined): JobStatus {
  const { asker, ...job } = live;
  return {
    ...job,
    trial: asker?.trial ?? null,
    job: asker?.job ?? null,
    task: asker?.task ?? null,
    candidate: asker?.genome ?? null,
    lineage: (asker && lineageOf(asker.genome)) ?? null,
    forMs: Math.max(0, Date.now() - Date.parse(job.startedAt ?? job.askedAt)),
  };
}

/** The status for people, at most 110 columns but for long names. */
export function statusText(found: Status): string {
  const running = found.jobs.filter(({ slot }) => slot !== null);
  const waiting = found.jobs.filter(({ slot }) => slot === null);
  const sections = [`${found.run}: ${standing(found)}`];
  if (found.slots) {
    const { busy, slots } = found.slots;
    sections.push(
      `${slots > 0 ? `${count(busy)} of ${counted(slots, 'slot')} busy; ` : ''}${counted(running.length, 'job')} running, ${count(waiting.length)} waiting`,
    );
  }
  if (running.length > 0) sections.push(`Running\n${jobTable(running)}`);
  if (waiting.length > 0) sections.push(`Waiting\n${jobTable(waiting)}`);
  sections.push(`Used by jobs\n${usedTable(found.used)}`);
  return sections.join('\n\n');
}

function standing({ state, process, stop, stage, generation, generations }: Status): string {
  const done = `${generation} of ${counted(generations, 'generation')} done`;
  const who = process ? ` (process ${process.pid} on ${process.host})` : '';
  const now = stage ? `; ${STAGES[stage.name]}: ${stage.tried} of ${counted(stage.trials, 'trial')}` : '';
  const words = {
    running: `running${who}, ${done}${now}`,
    finished: `finished, ${done}`,
    stopped: `stopped${stop ? `: ${stop}` : ''}, ${done}; evolve resume goes on`,
    killed: `killed${who}, ${done}; evolve resume goes on`,
  };
  return words[state];
}

const STAGES: Record<Stage, string> = {
  first: 'first search tasks',
  rest: 'other search tasks',
  finals: 'finals',
  validation: 'validation tasks',
  sealed: 'sealed tasks',
};

const SHOWN = 20;

function jobTable(jobs: readonly JobStatus[]): string {
  const gpus = jobs.some((job) => job.gpus > 0);
  const head = ['job', 'trial', 'task', 'candidate', 'lineage', 'slot', ...(gpus ? ['GPUs'] : []), 'for'];
  const rows = jobs
    .slice(0, SHOWN)
    .map((job) => [
      job.identity.slice(0, 8),
      job.trial === null ? '–' : `${job.trial.slice(0, 8)}/${job.job}`,
      clip(job.task ?? '–', 22),
      job.candidate ?? '–',
      clip(job.lineage ?? '–', 16),
      clip(job.slot ?? '–', 20),
      ...(gpus ? [String(job.gpus)] : []),
      span(job.forMs),
    ]);
  const more = jobs.length > SHOWN ? `\n  and ${count(jobs.length - SHOWN)} more` : '';
  return `${indent(table([head, ...rows], [0, 1, 2, 3, 4, 5]))}${more}`;
}

function usedTable({ all, lineages }: Status['used']): string {
  const sides = [...lineages].sort((a, b) => b.gpuMs - a.gpuMs || b.cpuMs - a.cpuMs);
  if (sides.length !== 1) sides.push({ lineage: 'all', ...all });
  const gpus = all.gpuMs > 0;
  const head = [
    ...['lineage', 'CPU time', ...(gpus ? ['GPU time'] : [])],
    ...['jobs', 'from the cache', 'failed', 'pruned', 'lost'],
  ];
  const rows = sides.map(({ lineage, ...used }) => [
    ...[clip(lineage, 24), span(used.cpuMs), ...(gpus ? [span(used.gpuMs)] : [])],
    ...[used.jobs, used.hits, used.failed, used.pruned, used.lost].map(count),
  ]);
  return indent(table([head, ...rows]));
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
