/** When a rule's text is put before the agent. */
export const TRIGGERS = [
  'always',
  'start',
  'after-error',
  'after-fix',
  'before-submit',
  'on-loop',
  'low-budget',
] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** The tools of the agent's table that a genome may switch. */
export const TOOLS = [
  'list_files',
  'read_file',
  'write_file',
  'edit_file',
  'run',
  'train',
  'read_skill',
  'note',
  'submit',
] as const;
export type ToolName = (typeof TOOLS)[number];

export type Rule = { when: Trigger; text: string };

/** An Agent Skill (agentskills.io). `files` are the others in its folder, by relative path, as text. */
export type Skill = {
  description: string;
  body: string;
  files: Record<string, string>;
  license?: string;
  compatibility?: string;
  metadata?: Record<string, string>;
};

/**
 * One harness, as data. Immutable; named by `genomeId`. A *gene* is one addressable part, by path:
 * `sampling.temperature`, `rules.<id>`, `skills.<name>`, `tools.run`.
 */
export type Genome = {
  sampling: {
    temperature: number;
    top_p: number;
    frequency_penalty: number;
    presence_penalty: number;
    max_tokens: number;
  };
  rules: Record<string, Rule>;
  skills: Record<string, Skill>;
  /** The short-term memory of a trial: how many notes of earlier attempts are seen, and how long each may be. */
  memory: { notes: number; chars: number; keep_failures: boolean };
  /** The loop guard: of the last `window` steps, two more alike than `similarity` are a loop. */
  loop: { action: 'off' | 'warn' | 'switch' | 'stop'; window: number; similarity: number };
  tools: Record<ToolName, boolean>;
  /** Turns and jobs of a trial (a task may allow fewer), and the shares kept for improving and for checking. */
  limits: { turns: number; jobs: number; improve_share: number; check_share: number };
  /** The common `mcpServers` form; secrets only as ${NAME}. */
  mcp?: Record<string, { command: string; args?: string[]; env?: Record<string, string> }>;
};
