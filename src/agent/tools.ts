import type { Genome, ToolName } from '../genome/genome.ts';
import type { Json } from '../json.ts';
import type { ToolSchema } from '../llm/llm.ts';
import type { Task } from '../suite/suite.ts';
import { ToolError, type Workspace } from './workspace.ts';

/** What a call did, beside the text that the model is shown. */
export type ToolResult = {
  text: string;
  /** The call failed: a refused path, a job that crashed. */
  error?: boolean;
  /** A file of the agent's own was changed. */
  edited?: boolean;
  /** A training that gave a valid submission. */
  scored?: boolean;
  /** The model wants to end the trial, with the submission of this attempt (0: the last valid one). */
  submit?: number;
  /** The skill that was shown. */
  skill?: string;
};

export type Tool = {
  name: ToolName;
  schema: ToolSchema;
  run(args: Record<string, unknown>): Promise<ToolResult> | ToolResult;
};

/** What the tools that start a process need; `train` and `run` give a log. */
export type Jobs = {
  train(): Promise<ToolResult>;
  run(command: string[]): Promise<ToolResult>;
};

/** The tools that a genome has switched on, in a fixed order. */
export function toolTable(
  genome: Genome,
  task: Pick<Task, 'train'>,
  workspace: Workspace,
  jobs: Jobs,
  note: (text: string) => void,
): Tool[] {
  const all = [
    ...fileTools(workspace),
    ...jobTools(jobs, task.train.join(' ')),
    ...skillTools(genome),
    ...closingTools(note),
  ];
  return all.filter((tool) => genome.tools[tool.name]);
}

/** Runs one call; whatever is wrong with it is told to the model, never thrown (but for lost trials). */
export async function callTool(tools: readonly Tool[], name: string, rawArgs: string): Promise<ToolResult> {
  const tool = tools.find((candidate) => candidate.name === name);
  if (!tool) return { text: `error: there is no tool ${name}`, error: true };
  let args: unknown;
  try {
    args = JSON.parse(rawArgs);
  } catch {
    return { text: 'error: the arguments are not JSON (cut short?)', error: true };
  }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return { text: 'error: the arguments must be a JSON object', error: true };
  }
  try {
    return await tool.run(args as Record<string, unknown>);
  } catch (error) {
    if (error instanceof ToolError) return { text: `error: ${error.message}`, error: true };
    throw error;
  }
}

function fileTools(workspace: Workspace): Tool[] {
  return [
    tool('list_files', 'List your files and the data files.', {}, [], () => ({
      text: [...workspace.list(), ...workspace.dataFiles().map((name) => `data/${name}`)].join('\n'),
    })),
    tool(
      'read_file',
      'Read a file, the first `lines` lines (40 unless told).',
      {
        path: text('a path such as main.mjs, data/train.csv or attempts/1/model.mjs'),
        lines: { type: 'integer' },
      },
      ['path'],
      (args) => {
        const lines = typeof args.lines === 'number' ? Math.max(1, Math.floor(args.lines)) : 40;
        const all = workspace.read(string(args, 'path')).split('\n');
        const shown = all.slice(0, lines).join('\n');
        return { text: all.length > lines ? `${shown}\n… (${all.length} lines in all)` : shown };
      },
    ),
    tool(
      'write_file',
      'Write a file: its `content`, or a `copy_of` another file, e.g. attempts/1/model.mjs.',
      { path: text('where'), content: text('the whole file'), copy_of: text('a file to copy instead') },
      ['path'],
      (args) => {
        const path = string(args, 'path');
        const content = 'copy_of' in args ? workspace.read(string(args, 'copy_of')) : string(args, 'content');
        workspace.write(path, content);
        return { text: `wrote ${path}`, edited: true };
      },
    ),
    tool(
      'edit_file',
      'Replace every occurrence of `old` in a file by `new`.',
      {
        path: text('the file'),
        old: text('the text to replace, exactly'),
        new: text('what stands there instead'),
      },
      ['path', 'old', 'new'],
      (args) => {
        const path = string(args, 'path');
        const before = workspace.read(path);
        const old = string(args, 'old');
        if (old === '' || !before.includes(old)) return { text: `${path}: that text does not occur` };
        workspace.write(path, before.split(old).join(string(args, 'new')));
        return { text: `edited ${path}`, edited: true };
      },
    ),
  ];
}

function jobTools(jobs: Jobs, train: string): Tool[] {
  const trains = `Run \`${train}\` as a training job and check the form of submission.csv.`;
  return [
    tool('train', trains, {}, [], () => jobs.train()),
    tool(
      'run',
      'Run a command in your folder.',
      {
        command: {
          type: 'array',
          items: { type: 'string' },
          description: 'argv, e.g. ["node", "check.mjs"]',
        },
      },
      ['command'],
      (args) => {
        const command = args.command;
        if (
          !Array.isArray(command) ||
          command.length === 0 ||
          command.some((part) => typeof part !== 'string')
        ) {
          throw new ToolError('`command` must be a list of strings');
        }
        return jobs.run(command as string[]);
      },
    ),
  ];
}

function skillTools(genome: Genome): Tool[] {
  return [
    tool('read_skill', 'Read a skill.', { name: text('its name') }, ['name'], (args) => {
      const name = string(args, 'name');
      const skill = Object.hasOwn(genome.skills, name) ? genome.skills[name] : undefined;
      if (!skill) throw new ToolError(`there is no skill ${name}`);
      return { text: `# Skill ${name}\n${skill.body}`, skill: name };
    }),
  ];
}

function closingTools(note: (text: string) => void): Tool[] {
  return [
    tool('note', 'Write a line into your notes.', { text: text('the note') }, ['text'], (args) => {
      note(string(args, 'text'));
      return { text: 'noted' };
    }),
    tool(
      'submit',
      'End the work. Without `attempt` the last valid submission counts.',
      { attempt: { type: 'integer', description: 'submit what this attempt gave instead' } },
      [],
      (args) => ({ text: 'submitted', submit: typeof args.attempt === 'number' ? args.attempt : 0 }),
    ),
  ];
}

function tool(
  name: ToolName,
  description: string,
  properties: { [key: string]: Json },
  required: string[],
  run: Tool['run'],
): Tool {
  const parameters = { type: 'object', properties, required, additionalProperties: false };
  return { name, schema: { type: 'function', function: { name, description, parameters } }, run };
}

function text(description: string): { [key: string]: Json } {
  return { type: 'string', description };
}

function string(args: Record<string, unknown>, key: string): string {
  const value = args[key];
  if (typeof value !== 'string') throw new ToolError(`\`${key}\` must be a string`);
  return value;
}
