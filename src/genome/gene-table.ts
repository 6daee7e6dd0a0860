import { TOOLS, type ToolName, TRIGGERS } from './genome.ts';

/**
 * A gene with one value. `path` is `<section>.<key>`. `step` is the usual size of one mutation: in the gene's own
 * unit on a linear scale, in units of the natural logarithm on a `log` scale. `about` is for reports and prompts.
 */
export type ScalarGene = { path: string; about: string } & (
  | { type: 'number' | 'integer'; min: number; max: number; scale: 'linear' | 'log'; step: number }
  | { type: 'boolean' }
  | { type: 'enum'; values: readonly string[] }
);

/** The one table from which schema, bounds, mutation and report labels are derived; in the order of reports. */
export const SCALAR_GENES: readonly ScalarGene[] = [
  number('sampling.temperature', 0, 2, 0.2, 'How freely the model samples; 0 always takes the likeliest'),
  number('sampling.top_p', 0.05, 1, 0.1, 'Share of probability that sampling keeps, likeliest first'),
  number('sampling.frequency_penalty', -2, 2, 0.3, 'Lowers what was said before, each time it was said'),
  number('sampling.presence_penalty', -2, 2, 0.3, 'Lowers what was said before, once'),
  logInteger('sampling.max_tokens', 64, 8192, 0.5, 'Longest reply, in tokens'),
  integer('memory.notes', 0, 12, 2, 'How many notes of earlier attempts the agent sees'),
  logInteger('memory.chars', 40, 1000, 0.5, 'How long a note may be, in characters'),
  { path: 'memory.keep_failures', type: 'boolean', about: 'Whether notes of failed attempts are kept' },
  {
    path: 'loop.action',
    type: 'enum',
    values: ['off', 'warn', 'switch', 'stop'],
    about: 'What happens when the agent repeats itself',
  },
  integer('loop.window', 2, 12, 2, 'How many steps back the loop guard looks'),
  number('loop.similarity', 0.5, 1, 0.1, 'How alike two steps must be to count as a repeat'),
  ...TOOLS.map((tool): ScalarGene => ({ path: `tools.${tool}`, type: 'boolean', about: toolLabel(tool) })),
  integer('limits.turns', 4, 60, 3, 'Turns in a trial'),
  integer('limits.jobs', 1, 60, 3, 'Training jobs in a trial'),
  number('limits.improve_share', 0, 0.8, 0.1, 'Share of the turns kept for improving a working solution'),
  number('limits.check_share', 0, 0.5, 0.05, 'Share of the turns kept for checking before submission'),
];

/** A rule is the gene `rules.<id>`; its id is a name as skills have it. */
export const RULE_GENES = {
  about: 'What the agent is told when the trigger fires',
  maxCount: 24,
  maxText: 2000,
  triggers: TRIGGERS,
} as const;

/** A skill is the gene `skills.<name>`; limits in characters are those of Agent Skills, or our own. */
export const SKILL_GENES = {
  about: 'Instructions that the agent reads when it wants them',
  maxCount: 24,
  maxDescription: 1024,
  maxCompatibility: 500,
  maxBody: 40_000,
  maxFiles: 20,
  maxFile: 50_000,
} as const;

/** An MCP server is the gene `mcp.<name>`. */
export const MCP_GENES = { about: 'A server of tools outside the agent', maxCount: 12 } as const;

/** Names of rules, skills and servers (Agent Skills): 1 to 64 of a-z, 0-9 and single hyphens between them. */
export const NAME_PATTERN = '^[a-z0-9]+(-[a-z0-9]+)*$';
export const MAX_NAME = 64;
export const NAME_RULE = '1 to 64 of a-z, 0-9 and "-", no hyphen at an end and none doubled';

/** Whether a text may be the name of a rule or a skill. */
export function isGeneName(name: string): boolean {
  return name.length <= MAX_NAME && new RegExp(NAME_PATTERN).test(name);
}

const BY_PATH = new Map(SCALAR_GENES.map((gene) => [gene.path, gene]));

/** The table's line for a path such as `sampling.temperature`, or undefined. */
export function scalarGene(path: string): ScalarGene | undefined {
  return BY_PATH.get(path);
}

/** What a gene is for, in plain English; the path itself where nothing is known. */
export function geneLabel(path: string): string {
  const collections = { rules: RULE_GENES, skills: SKILL_GENES, mcp: MCP_GENES };
  const section = path.split('.')[0] as keyof typeof collections;
  return (
    BY_PATH.get(path)?.about ?? (Object.hasOwn(collections, section) ? collections[section].about : path)
  );
}

function number(path: string, min: number, max: number, step: number, about: string): ScalarGene {
  return { path, type: 'number', min, max, scale: 'linear', step, about };
}

function integer(path: string, min: number, max: number, step: number, about: string): ScalarGene {
  return { path, type: 'integer', min, max, scale: 'linear', step, about };
}

function logInteger(path: string, min: number, max: number, step: number, about: string): ScalarGene {
  return { path, type: 'integer', min, max, scale: 'log', step, about };
}

function toolLabel(tool: ToolName): string {
  const does: Record<ToolName, string> = {
    list_files: 'list files',
    read_file: 'read files',
    write_file: 'write files',
    edit_file: 'edit files',
    run: 'run commands',
    train: 'ask for training jobs',
    read_skill: 'read skills',
    note: 'write notes',
    submit: 'submit before its turns are out',
  };
  return `Whether the agent can ${does[tool]}`;
}
