import { scalarGene } from '../genome/gene-table.ts';
import { type GeneValue, getGene, removeGene, setGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Json } from '../json.ts';
import { oneLine } from '../prompts/one-line.ts';
import { MAX_EDITS, MIN_REASON } from '../prompts/prompts.ts';
import { readReply } from '../prompts/read-reply.ts';
import { isTextGene, readTextGene } from './text-gene.ts';

/** What a mutator proposed, applied to the parent; or what is wrong with it, a sentence a problem. */
export type ParsedEdits =
  | { ok: true; genome: Genome; hypothesis: string; expects: string[] }
  | { ok: false; problems: string[]; unanswered?: true };

/** What edits may do. */
export type EditRules = {
  /** Ids of the tasks that may be named as expected to improve. */
  tasks: readonly string[];
  /** Paths of genes that nothing changes in this run. */
  frozen: readonly string[];
  /** What is wrong with the genome that comes out: schema, bounds, guard. */
  check(genome: Genome): string[];
};

/** Longest hypothesis and reason that are kept, in characters. */
const HYPOTHESIS = 500;
const REASON = 200;
/** What is said of a bad reply: so many problems, so long each. */
const PROBLEMS = 5;
const PROBLEM = 200;

/** An edit that was applied; `reason` is empty where none is asked for. */
type Applied = { genome: Genome; path: string; reason: string };

/**
 * Reads a mutator's reply and applies its edits, all or none. Problems are short lines without control characters, at
 * most five of at most 200 characters. Never throws, whatever the reply says.
 */
export function parseEdits(content: string | null, parent: Genome, rules: EditRules): ParsedEdits {
  const reply = readReply(content);
  if (typeof reply === 'string') return refuse([reply]);
  const { hypothesis, expects, edits } = reply;
  if (!Array.isArray(edits) || edits.length === 0)
    return refuse(['"edits" must be a list with at least one edit']);
  if (edits.length > MAX_EDITS)
    return refuse([`"edits" has ${edits.length} entries; at most ${MAX_EDITS} are allowed`]);
  let genome = parent;
  const problems: string[] = [];
  const applied: Applied[] = [];
  for (const [i, edit] of edits.entries()) {
    const result = applyEdit(genome, edit, rules);
    if (typeof result === 'string') problems.push(`edit ${i + 1}: ${result}`);
    else if (applied.some(({ path }) => path === result.path))
      problems.push(`edit ${i + 1}: ${result.path} is edited twice`);
    else {
      genome = result.genome;
      applied.push(result);
    }
  }
  if (problems.length === 0) problems.push(...rules.check(genome));
  if (problems.length > 0) return refuse(problems);
  const reasons = applied.flatMap(({ path, reason }) => (reason === '' ? [] : [`(${path}: ${reason})`]));
  const hoped = typeof hypothesis === 'string' ? oneLine(hypothesis, HYPOTHESIS) : '';
  return {
    ok: true,
    genome,
    hypothesis: [hoped, ...reasons].join(' ').trim(),
    expects: Array.isArray(expects) ? rules.tasks.filter((task) => expects.includes(task)) : [],
  };
}

/** The genome after the edit, or what is wrong with the edit. */
function applyEdit(genome: Genome, edit: Json, { frozen }: EditRules): Applied | string {
  if (edit === null || typeof edit !== 'object' || Array.isArray(edit)) return 'is no object';
  const { op, path, value } = edit;
  if (typeof path !== 'string') return '"path" must be a text';
  if (frozen.includes(path)) return `${path}: frozen for this run: the endpoint cannot express it`;
  try {
    if (op === 'remove') {
      if (!isTextGene(path)) return `${path}: only rules and skills can be removed`;
      if (getGene(genome, path) === undefined) return `${path}: there is no such gene to remove`;
      return { genome: removeGene(genome, path), path, reason: '' };
    }
    if (op !== 'set') return `"op" must be "set" or "remove", not ${JSON.stringify(op ?? null)}`;
    if (value === undefined || value === null) return `${path}: "set" needs a "value"`;
    // A server of tools is a command on the user's machine: not for a model to propose.
    if (path.startsWith('mcp.')) return `${path}: servers cannot be edited`;
    if (isTextGene(path)) {
      const read = readTextGene(genome, path, value);
      if (typeof read === 'string') return `${path}: ${read}`;
      return { genome: setGene(genome, path, read), path, reason: '' };
    }
    const set = setGene(genome, path, value as GeneValue);
    if (!isNumeric(path)) return { genome: set, path, reason: '' };
    // In JSON 1e999 is a number, and infinite when read.
    if (typeof value !== 'number' || !Number.isFinite(value)) return `${path}: the value must be a number`;
    const reason = typeof edit.reason === 'string' ? oneLine(edit.reason, REASON) : '';
    if (reason.length < MIN_REASON)
      return `${path}: a number is set only with a "reason" of at least ${MIN_REASON} characters`;
    return { genome: set, path, reason };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isNumeric(path: string): boolean {
  const gene = scalarGene(path);
  return gene !== undefined && (gene.type === 'number' || gene.type === 'integer');
}

function refuse(problems: readonly string[]): ParsedEdits {
  return { ok: false, problems: problems.slice(0, PROBLEMS).map((problem) => oneLine(problem, PROBLEM)) };
}
