import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Genome, Trigger } from '../genome/genome.ts';
import type { JobOutcome, JobSpec } from '../jobs/job.ts';
import type { ChatRequest, Llm, Message } from '../llm/llm.ts';
import { seedAt } from '../rng.ts';
import type { Task } from '../suite/suite.ts';
import { jobLedger } from './job-tools.ts';
import { loopGuard } from './loop-guard.ts';
import { noteBook } from './notes.ts';
import {
  attemptPrompt,
  LOOP_SWITCH,
  LOOP_WARNING,
  notePrompt,
  type Phase,
  reminders,
  statusLine,
  systemPrompt,
} from './prompt.ts';
import { callTool, type ToolResult, toolTable } from './tools.ts';
import { type Recorder, recordTrajectory, type Trajectory } from './trajectory.ts';
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
  /** Asks for a job; a `lost` outcome makes the trial lost. */
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
  const workspace = openWorkspace(folders);
  const notes = noteBook(genome.memory, join(host.folder, 'memory.md'));
  const jobBudget = Math.min(genome.limits.jobs, task.limits.jobs);
  let attempt = 1;
  const jobs = jobLedger(task, host, workspace, folders, jobBudget, () => attempt);
  const tools = toolTable(genome, workspace, jobs, (text) => notes.add(attempt, text, false));
  const guard = loopGuard(genome.loop);
  const record = recordTrajectory(host.model, String(host.seed));
  const ask = caller(genome, host, record);

  let turn = 0;
  let lastResult = '';
  let heldSubmit = false;
  let end: Transcript['end'] = 'out-of-turns';
  /** Rules that fire once a trial, when it enters a state. */
  const once = new Set<Trigger>();
  const enter = (trigger: Trigger, when: boolean): string[] => {
    if (!when || once.has(trigger)) return [];
    once.add(trigger);
    return reminders(genome, trigger);
  };
  const closing = (extra: string[]): string => {
    const phase = phaseAt(turn + 1, turns, genome);
    const lines = [
      ...extra,
      ...enter('start', true),
      ...enter('low-budget', turn + 1 > turns * 0.75),
      ...enter('before-submit', phase === 'checking'),
      statusLine(turn + 1, turns, jobs.left(), phase),
    ];
    return lines.join('\n');
  };
  const opening = (extra: string[]): Message[] => {
    const files = workspace.list().map((path) => `${path}  ${firstLine(workspace.read(path))}`);
    const prompt = attemptPrompt({ task, number: attempt, notes: notes.shown(), files, lastResult });
    return [
      { role: 'system', content: systemPrompt(genome) },
      { role: 'user', content: `${prompt}\n\n${closing(extra)}` },
    ];
  };

  let messages = opening([]);
  record.open(messages);
  let pendingError = false;
  while (turn < turns) {
    const reply = await ask(
      messages,
      tools.map((tool) => tool.schema),
    );
    turn++;
    messages.push(reply.message);
    const calls = reply.message.tool_calls ?? [];
    const results: ToolResult[] = [];
    for (const call of calls)
      results.push(await callTool(tools, call.function.name, call.function.arguments));

    const step = calls.map(
      (call, i) => `${call.function.name} ${call.function.arguments} ${results[i]?.text}`,
    );
    const looping = guard.repeats(step.join('\n'));
    if (looping && genome.loop.action === 'stop') {
      record.observe(
        calls,
        results.map((result) => result.text),
      );
      end = 'stopped-by-loop-guard';
      break;
    }

    const extra: string[] = [];
    if (calls.length === 0) extra.push('Call a tool.');
    const failed = results.some((result) => result.error);
    if (failed) extra.push(...reminders(genome, 'after-error'));
    if (pendingError && !failed && results.some((result) => result.edited))
      extra.push(...reminders(genome, 'after-fix'));
    if (failed) pendingError = true;
    else if (results.some((result) => result.edited || result.scored)) pendingError = false;
    if (looping) extra.push(LOOP_WARNING, ...reminders(genome, 'on-loop'));

    const submit = results.find((result) => result.submit !== undefined)?.submit;
    if (submit !== undefined) {
      const held = heldSubmit ? [] : enter('before-submit', true);
      heldSubmit = true;
      if (held.length === 0) {
        useAttempt(folders, submit);
        record.observe(
          calls,
          results.map((result) => result.text),
        );
        end = 'submitted';
        break;
      }
      for (const result of results)
        if (result.submit !== undefined) result.text = 'not yet: look at this first';
      extra.push(...held);
    }

    const scored = results.findLast((result) => result.scored);
    const switching = looping && genome.loop.action === 'switch';
    const texts = results.map((result) => result.text);
    if (scored || switching) {
      record.observe(calls, texts);
      if (turn >= turns) break;
      messages.push(...toolMessages(calls, texts), {
        role: 'user',
        content: notePrompt(genome.memory.chars),
      });
      if (genome.memory.notes > 0) {
        const note = await ask(messages, []);
        notes.add(attempt, note.message.content ?? '', true);
      }
      lastResult = scored ? `attempt ${attempt}: ${scored.text}` : lastResult;
      attempt++;
      messages = opening(switching ? [LOOP_SWITCH, ...extra] : extra);
      record.open(messages.slice(1));
      continue;
    }

    const tail = closing(extra);
    if (calls.length === 0) messages.push({ role: 'user', content: tail });
    else {
      texts[texts.length - 1] = `${texts.at(-1)}\n${tail}`;
      messages.push(...toolMessages(calls, texts));
    }
    record.observe(calls, calls.length === 0 ? [tail] : texts);
  }

  const usage = record.usage();
  return {
    end,
    submission: existsSync(join(host.folder, 'submission.csv')),
    turns: turn,
    ...usage,
    jobs: jobs.identities(),
    trajectory: record.trajectory(),
  };
}

/** One model call under the genome's sampling; seeds count calls, so that each draws anew. */
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
    const reply = await host.llm(request);
    record.reply(reply);
    return reply;
  };
}

/** The last `check_share` of the turns is for checking, the `improve_share` before it for improving. */
function phaseAt(turn: number, turns: number, genome: Genome): Phase {
  const { improve_share, check_share } = genome.limits;
  if (turn > turns * (1 - check_share)) return 'checking';
  return turn > turns * (1 - check_share - improve_share) ? 'improving' : 'drafting';
}

function toolMessages(calls: { id: string }[], texts: string[]): Message[] {
  return calls.map((call, i) => ({ role: 'tool', tool_call_id: call.id, content: texts[i] ?? '' }));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 160) ?? '';
}

/** Makes the submission of an earlier attempt the one that counts, if there is such. */
function useAttempt(folders: { trial: string; attempts: string }, attempt: number): void {
  const kept = join(folders.attempts, String(attempt), 'submission.csv');
  if (attempt > 0 && existsSync(kept)) copyFileSync(kept, join(folders.trial, 'submission.csv'));
}
