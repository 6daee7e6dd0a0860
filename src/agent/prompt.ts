import type { Genome, Rule, Trigger } from '../genome/genome.ts';
import type { Task } from '../suite/suite.ts';

/** Everything that the harness says to the agent, in one file. */

/** A line put before the agent, and the path of the gene that it comes from; none where every genome has it said. */
export type Line = { text: string; gene?: string };

export type Phase = 'drafting' | 'improving' | 'checking';

const PHASES: Record<Phase, string> = {
  drafting: 'get a first valid submission',
  improving: 'make the validation score better',
  checking: 'look for faults, then submit',
};

/** What every trial opens with, whatever the genome, where the task says nothing of its machine. */
export const SETTING = settingOf({
  runtime: 'node',
  modules: [],
  train: ['node', 'main.mjs'],
  editable: null,
});

/** What every trial of a task opens with. */
export function settingOf({ runtime, modules, train, editable }: Machine): string {
  const python = modules.length > 0 ? `Python 3 with ${modules.join(', ')}` : 'Python 3 and no packages';
  const parts = [
    'You are an agent in a small machine-learning competition.',
    `You work in one folder with ${runtime === 'python' ? python : 'Node 20 and no packages'}; the data stand in data/.`,
    `Each turn, call one or more tools. \`train\` runs \`${train.join(' ')}\`, which must write submission.csv.`,
    ...(editable === null ? [] : [`Of the files you may change only ${editable.join(', ')}.`]),
    'The last valid submission counts unless you submit an earlier attempt.',
  ];
  return parts.join(' ');
}

type Machine = Pick<Task, 'runtime' | 'modules' | 'train' | 'editable'>;

/** The system message: what the agent is, its standing rules, and the skills it may read. */
export function systemPrompt(genome: Genome, setting = SETTING): string {
  const rules = rulesFor(genome, 'always').map(([, rule]) => rule);
  const skills = Object.entries(genome.skills);
  const parts = [setting];
  if (rules.length > 0) parts.push(`## Rules\n${rules.map((rule) => `- ${oneLine(rule.text)}`).join('\n')}`);
  if (skills.length > 0 && genome.tools.read_skill) {
    const list = skills.map(([name, skill]) => `- ${name}: ${oneLine(skill.description)}`);
    parts.push(`## Skills (read_skill shows one whole)\n${list.join('\n')}`);
  }
  return parts.join('\n\n');
}

/** What opens an attempt: the task, the notes of earlier attempts, the folder, the last result. */
export function attemptPrompt(attempt: {
  task: Task;
  number: number;
  notes: string[];
  files: string[];
  lastResult: string;
}): string {
  const parts = [`# Task\n${attempt.task.description.trim()}`];
  if (attempt.notes.length > 0) {
    parts.push(`## Notes of earlier attempts\n${attempt.notes.map((note) => `- ${note}`).join('\n')}`);
  }
  const files = attempt.files.length > 0 ? attempt.files.join('\n') : '(empty)';
  parts.push(`## Your folder (attempt ${attempt.number})\n${files}`);
  if (attempt.lastResult !== '') parts.push(`## Result of the last training\n${attempt.lastResult}`);
  return parts.join('\n\n');
}

/** The line that closes every message to the agent. */
export function statusLine(turn: number, turns: number, jobsLeft: number, phase: Phase): string {
  return `[turn ${turn} of ${turns}, ${jobsLeft} jobs left, ${phase}: ${PHASES[phase]}]`;
}

/** The genome's rules for a trigger, as they are put before the agent. */
export function reminders(genome: Genome, trigger: Trigger): Line[] {
  return rulesFor(genome, trigger).map(([id, rule]) => ({
    text: `Remember: ${oneLine(rule.text)}`,
    gene: `rules.${id}`,
  }));
}

/** Paths of the rules that stand in the system message. */
export function standingRules(genome: Genome): string[] {
  return rulesFor(genome, 'always').map(([id]) => `rules.${id}`);
}

/** What the loop guard says. */
export const LOOP_WARNING = 'Warning: you are repeating yourself. Do something different now.';
export const LOOP_SWITCH =
  'The last approach went in circles and was abandoned. Take another approach now, with another model or other features.';

/** Asks for the note that closes an attempt. */
export function notePrompt(chars: number): string {
  return `The attempt is over. Write one line about it for your notes, at most ${chars} characters: what was tried, what it gave, and whether it was better or worse than before.`;
}

function rulesFor(genome: Genome, trigger: Trigger): [string, Rule][] {
  return Object.entries(genome.rules).filter(([, rule]) => rule.when === trigger);
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
