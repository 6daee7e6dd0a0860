import type { Message } from '../llm/llm.ts';

/** The files of a program, in the order in which the model writes them. */
export const FILES = ['read.mjs', 'features.mjs', 'target.mjs', 'model.mjs', 'main.mjs'] as const;
export type FileName = (typeof FILES)[number];

export type Failure = {
  /** The file that the error names, if it is one of the program's. */
  file: FileName | null;
  /** The text of the line at which it crashed, if the error shows one. */
  line: string | null;
  text: string;
};

/** What the model reads out of a conversation: only what stands there in words. */
export type View = {
  task: string;
  metric: string;
  higher: boolean;
  idColumn: string;
  targetColumn: string;
  /** Standing rules. */
  rules: string[];
  /** Advice put before it on the way, with the number of replies since then. */
  reminders: { text: string; age: number }[];
  notes: string[];
  skills: Map<string, string>;
  /** Skills read in this conversation: name → text. */
  read: Map<string, string>;
  /** First line of each file of the folder, as listed or written. */
  heads: Map<string, string>;
  /** Contents that were written or read in this conversation. */
  contents: Map<string, string>;
  /** What it said, oldest first. */
  said: string[];
  /** The files changed since the last training. */
  changed: boolean;
  failure: Failure | null;
  attempt: number;
  /** Validation score of the attempt before, and of those that notes mention: attempt → score. */
  scores: Map<number, number>;
  turnsLeft: number;
  jobsLeft: number;
  phase: string;
  /** It is asked for a note, not for an action. */
  wantsNote: boolean;
};

/** Reads a conversation of the agent, as any model would, from its text alone. */
export function readConversation(messages: readonly Message[]): View {
  const system = contentOf(messages[0]);
  const opening = contentOf(messages[1]);
  const task = section(opening, '# Task');
  const folder = section(opening, '## Your folder');
  const notes = items(section(opening, '## Notes of earlier attempts'));
  const lastResult = section(opening, '## Result of the last training');
  const replies = messages.filter((message) => message.role === 'assistant').length;
  const view: View = {
    task,
    metric: /^Metric: ([a-z0-9-]+)/m.exec(task)?.[1] ?? 'accuracy',
    higher: !/lower is better/.test(task),
    idColumn: /^Id column: (\S+)/m.exec(task)?.[1] ?? 'id',
    targetColumn: /^Target column: (\S+)/m.exec(task)?.[1] ?? 'target',
    rules: items(section(system, '## Rules')),
    reminders: remindersIn(opening, replies),
    notes,
    skills: new Map(
      items(section(system, '## Skills')).flatMap((item) => {
        const found = /^([a-z0-9-]+): (.*)$/.exec(item);
        return found ? [[found[1]!, found[2]!]] : [];
      }),
    ),
    read: new Map(),
    heads: new Map(
      folder.split('\n').flatMap((line) => {
        const found = /^(\S+\.mjs) {2}(.*)$/.exec(line);
        return found ? [[found[1]!, found[2]!]] : [];
      }),
    ),
    contents: new Map(),
    said: [],
    changed: lastResult === '',
    failure: null,
    attempt: Number(/\(attempt (\d+)\)/.exec(opening)?.[1] ?? 1),
    scores: new Map(),
    turnsLeft: 0,
    jobsLeft: 0,
    phase: '',
    wantsNote: false,
  };
  for (const text of [...notes, lastResult]) readScore(view, text);
  readStatus(view, opening);
  let age = replies;
  let paths: string[] = [];
  for (const message of messages.slice(2)) {
    if (message.role === 'assistant') {
      age--;
      view.said.push(message.content ?? '');
      paths = (message.tool_calls ?? []).map((call) =>
        readCall(view, call.function.name, call.function.arguments),
      );
    } else {
      view.wantsNote = message.role === 'user' && message.content.startsWith('The attempt is over');
      readResult(view, message.content, paths.shift() ?? '', age);
    }
  }
  return view;
}

function readCall(view: View, name: string, rawArgs: string): string {
  let args: Record<string, unknown> = {};
  try {
    args = JSON.parse(rawArgs) as Record<string, unknown>;
  } catch {
    return name;
  }
  const path = String(args.path ?? '');
  if (name === 'write_file' && typeof args.content === 'string') {
    view.contents.set(path, args.content);
    view.heads.set(path, args.content.split('\n', 1)[0]!);
    view.changed = true;
    view.failure = null;
  }
  if (name === 'edit_file') {
    const old = String(args.old);
    for (const known of [view.contents, view.heads]) {
      const before = known.get(path);
      if (before?.includes(old)) known.set(path, before.split(old).join(String(args.new)));
    }
    view.changed = true;
    view.failure = null;
  }
  return name === 'read_file' ? `read ${path}` : name;
}

function readResult(view: View, text: string, call: string, age: number): void {
  view.reminders.push(...remindersIn(text, age));
  readStatus(view, text);
  const body = text.replace(/\n?^(Remember: |Warning: |\[turn ).*$/gm, '');
  const skill = /^# Skill (\S+)\n/.exec(body);
  if (skill) view.read.set(skill[1]!, body);
  if (call.startsWith('read ') && !body.startsWith('error:')) view.contents.set(call.slice(5), body);
  if (call !== 'train') return;
  view.changed = false;
  view.failure = /submission\.csv is valid/.test(body) ? null : readFailure(body);
  readScore(view, `attempt ${view.attempt}: ${body}`);
}

function readFailure(text: string): Failure {
  const located = /\/work\/(\w+\.mjs):\d+\n(.*)\n/.exec(text);
  const named = located ?? /imported from \/work\/(\w+\.mjs)/.exec(text);
  const file = FILES.find((name) => name === named?.[1]) ?? null;
  return { file, line: located?.[2] ?? null, text };
}

function readScore(view: View, text: string): void {
  const found = /attempt (\d+)\b.*?validation [a-z0-9-]+:? (-?[\d.]+)/s.exec(text);
  if (found && Number.isFinite(Number(found[2]))) view.scores.set(Number(found[1]), Number(found[2]));
}

function readStatus(view: View, text: string): void {
  const found = /^\[turn (\d+) of (\d+), (-?\d+) jobs left, (.*)\]$/m.exec(text);
  if (!found) return;
  view.turnsLeft = Number(found[2]) - Number(found[1]) + 1;
  view.jobsLeft = Number(found[3]);
  view.phase = found[4]!;
}

function remindersIn(text: string, age: number): { text: string; age: number }[] {
  const found = text.match(/^(Remember: |Warning: |The last approach went).*$/gm) ?? [];
  return found.map((line) => ({ text: line.replace(/^(Remember|Warning): /, ''), age }));
}

function section(text: string, heading: string): string {
  const start = text.startsWith(heading) ? 0 : text.indexOf(`\n${heading}`);
  if (start < 0) return '';
  const body = text.slice(text.indexOf('\n', start + 1) + 1);
  if (heading === '# Task') return until(body, /\n\n## (Notes of earlier|Your folder)/);
  return until(body, /\n\n/);
}

function until(text: string, end: RegExp): string {
  const found = end.exec(text);
  return found ? text.slice(0, found.index) : text;
}

function items(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('- ') ? [line.slice(2)] : []));
}

function contentOf(message: Message | undefined): string {
  return message?.content ?? '';
}
