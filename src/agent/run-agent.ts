import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Genome } from '../genome/genome.ts';
import type { Curve, PruneRule } from '../jobs/curve.ts';
import type { JobOutcome, JobSpec } from '../jobs/job.ts';
import { type ChatRequest, type Llm, LlmError, type Message } from '../llm/llm.ts';
import { spoken } from '../llm/thinking.ts';
import { seedAt } from '../rng.ts';
import type { Task } from '../suite/suite.ts';
import { jobLedger } from './job-tools.ts';
import { loopGuard } from './loop-guard.ts';
import { noteBook } from './notes.ts';
import {
  attemptPrompt,
  type Line,
  LOOP_SWITCH,
  notePrompt,
  type Phase,
  settingOf,
  standingRules,
  statusLine,
  systemPrompt,
} from './prompt.ts';
import { stepText, textsOf, toolMessages, withTail } from './step-messages.ts';
import { callTool, type ToolResult, toolTable } from './tools.ts';
import { type Recorder, recordTrajectory, type Trajectory } from './trajectory.ts';
import { ruleTriggers } from './triggers.ts';
import { openWorkspace } from './workspace.ts';

/** What a trial may ask of the world outside its folder. */
export type AgentHost = {
  llm: Llm;
  /** The model's name, as the endpoint knows it. */
  model: string;
  /** The trial's seed; call n of the agent draws from (seed, n). */
  seed: number;
  /**
   * The trial's folder on this machine, existing and empty but for `calls.jsonl`. What lasts goes there:
   * `submission.csv` is the submission that counts, `memory.md` the notes, `logs/` the output of jobs.
   */
  folder: string;
  /**
   * An empty folder for the time of the trial: the agent works in `work/`, and `attempts/` holds the files of each
   * attempt that gave a valid submission.
   */
  scratch: string;
  /** The sampling as the endpoint takes it, where that is not the genome's own. */
  sampling?: Partial<Genome['sampling']>;
  /** When trainings are stopped early, once there is a submission. */
  prune?: PruneRule | undefined;
  /** Asks for a job; a `lost` outcome makes the trial lost. */
  job(spec: JobSpec): Promise<{ identity: string; outcome: JobOutcome }>;
};

/** How a trial went. `submission` says whether `submission.csv` stands in the trial's folder. */
export type Transcript = {
  end: 'submitted' | 'out-of-turns' | 'stopped-by-loop-guard' | 'out-of-context';
  submission: boolean;
  turns: number;
  tokensIn: number;
  tokensOut: number;
  usd: number;
  /** Identities of the jobs, in order. */
  jobs: string[];
  /** Of the first whole training, where the task compares jobs by a metric. */
  curve?: Curve;
  /**
   * Paths of the genes that did something, sorted: rules that were put before the model or held back a submission,
   * skills that it was shown, `loop` where the guard spoke or stopped, `memory` where an earlier attempt's notes stood.
   */
  active: string[];
  trajectory: Trajectory;
};

/**
 * Runs the agent on a task: a plain tool loop over attempts. An attempt ends when a training gives a valid
 * submission (or the loop guard switches); the conversation then starts anew with the task, the notes and the
 * folder, so that the context stays small and the notes are the memory.
 * Rejects with `TrialLost` or `LlmError` for infrastructure, else resolves.
 */
export async function runAgent(genome: Genome, task: Task, host: AgentHost): Promise<Transcript> {
  const folders = {
    trial: host.folder,
    work: join(host.scratch, 'work'),
    data: task.publicDir,
    attempts: join(host.scratch, 'attempts'),
  };
  const turns = Math.min(genome.limits.turns, task.limits.turns);
  const jobBudget = Math.min(genome.limits.jobs, task.limits.jobs);
  const workspace = openWorkspace(folders, task);
  const notes = noteBook(genome.memory, join(host.folder, 'memory.md'));
  const jobs = jobLedger(task, host, workspace, folders, jobBudget, () => attempt);
  const tools = toolTable(genome, task, workspace, jobs, (text) => notes.add(attempt, text, false));
  const schemas = tools.map((tool) => tool.schema);
  const guard = loopGuard(genome.loop);
  const triggers = ruleTriggers(genome);
  const record = recordTrajectory(host.model, String(host.seed), host.sampling);
  const ask = caller(genome, host, record);
  const active = new Set(standingRules(genome));

  let attempt = 1;
  let turn = 0;
  let lastResult = '';
  let end: Transcript['end'] = 'out-of-turns';
  let messages = open([]);
  record.open(messages);

  while (turn < turns) {
    const reply = await ask(messages, schemas);
    if (reply === null) {
      end = 'out-of-context';
      break;
    }
    turn++;
    const calls = reply.message.tool_calls ?? [];
    const results: ToolResult[] = [];
    for (const call of calls) {
      results.push(await callTool(tools, call.function.name, call.function.arguments));
    }
    const looping = guard.repeats(stepText(calls, results));
    const extra = triggers.afterStep(results, looping);
    if (calls.length === 0) extra.push({ text: 'Call a tool.' });

    const submitting = results.find((result) => result.submit !== undefined);
    const held = submitting ? triggers.beforeSubmit() : [];
    if (submitting && held.length > 0) {
      submitting.text = 'not yet: look at this first';
      extra.push(...held);
      markActive(held);
    }
    if (submitting && held.length === 0) {
      useAttempt(folders, submitting.submit ?? 0);
      end = 'submitted';
    } else if (looping && genome.loop.action === 'stop') {
      end = 'stopped-by-loop-guard';
      active.add('loop');
    }
    if (end !== 'out-of-turns' || turn >= turns) {
      record.observe(calls, textsOf(results));
      break;
    }

    for (const { skill } of results) if (skill !== undefined) active.add(`skills.${skill}`);
    const scored = results.findLast((result) => result.scored);
    const switching = looping && genome.loop.action === 'switch';
    if (scored || switching) {
      record.observe(calls, textsOf(results));
      await closeAttempt([...messages, reply.message, ...toolMessages(calls, textsOf(results))]);
      if (scored) lastResult = `attempt ${attempt}: ${scored.text}`;
      attempt++;
      messages = open(switching ? [{ text: LOOP_SWITCH, gene: 'loop' }, ...extra] : extra);
      record.open(messages.slice(1));
    } else {
      const heard = withTail(calls, textsOf(results), closing(extra));
      messages.push(reply.message, ...heard);
      record.observe(
        calls,
        heard.map((message) => message.content ?? ''),
      );
    }
  }

  return {
    end,
    submission: existsSync(join(host.folder, 'submission.csv')),
    turns: turn,
    ...record.usage(),
    ...jobs.record(),
    active: [...active].sort(),
    trajectory: record.trajectory(),
  };

  /** The first messages of an attempt. */
  function open(extra: Line[]): Message[] {
    const files = workspace.list().map((path) => `${path}  ${workspace.firstLine(path)}`);
    const shown = notes.shown();
    if (shown.length > 0) active.add('memory');
    const prompt = attemptPrompt({ task, number: attempt, notes: shown, files, lastResult });
    return [
      { role: 'system', content: systemPrompt(genome, settingOf(task)) },
      { role: 'user', content: `${prompt}\n\n${closing(extra)}` },
    ];
  }

  /** The lines that end every message to the agent: reminders, and where it stands. */
  function closing(extra: Line[]): string {
    const phase = phaseAt(turn + 1, turns, genome);
    const status = statusLine(turn + 1, turns, jobs.left(), phase);
    const lines = [...extra, ...triggers.beforeTurn(turn + 1, turns, phase)];
    markActive(lines);
    return [...lines.map(({ text }) => text), status].join('\n');
  }

  function markActive(lines: Line[]): void {
    for (const { gene } of lines) if (gene !== undefined) active.add(gene);
  }

  /** Has the agent write its note, unless it would never see one. */
  async function closeAttempt(talk: Message[]): Promise<void> {
    if (genome.memory.notes === 0) return;
    const question: Message = { role: 'user', content: notePrompt(genome.memory.chars) };
    const note = await ask([...talk, question], []);
    if (note !== null) notes.add(attempt, spoken(note.message), true);
  }
}

/**
 * One model call under the genome's sampling; seeds count calls, so that each draws anew. Gives null where the
 * conversation has outgrown the model: the harness let it.
 */
function caller(genome: Genome, host: AgentHost, record: Recorder) {
  let call = 0;
  return async (messages: Message[], tools: ChatRequest['tools']) => {
    const request: ChatRequest = {
      model: host.model,
      messages,
      ...genome.sampling,
      seed: seedAt(host.seed, call++),
    };
    if (tools && tools.length > 0) request.tools = tools;
    try {
      const reply = await host.llm(request);
      record.reply(reply);
      return reply;
    } catch (error) {
      // A first prompt that does not fit is no doing of the agent: the model is too small for the task.
      if (error instanceof LlmError && error.fault === 'too-long' && call > 1) return null;
      throw error;
    }
  };
}

/** The last `check_share` of the turns is for checking, the `improve_share` before it for improving. */
function phaseAt(turn: number, turns: number, genome: Genome): Phase {
  const { improve_share, check_share } = genome.limits;
  if (turn > turns * (1 - check_share)) return 'checking';
  return turn > turns * (1 - check_share - improve_share) ? 'improving' : 'drafting';
}

/** Makes the submission of an earlier attempt the one that counts, if there is such. */
function useAttempt(folders: { trial: string; attempts: string }, attempt: number): void {
  const kept = join(folders.attempts, String(attempt), 'submission.csv');
  if (attempt > 0 && existsSync(kept)) copyFileSync(kept, join(folders.trial, 'submission.csv'));
}
