import { type GeneValue, getGene, removeGene, setGene } from '../genome/genes.ts';
import type { Genome } from '../genome/genome.ts';
import type { Json } from '../json.ts';
import { jsonReply } from '../llm/json-reply.ts';
import { MAX_EDITS } from './prompts.ts';

/** What a mutator proposed, applied to the parent; or what is wrong with it, a sentence a problem. */
export type ParsedEdits =
  | { ok: true; genome: Genome; hypothesis: string; expects: string[] }
  | { ok: false; problems: string[] };

/**
 * Reads a mutator's reply and applies its edits, all or none. `check` says what is wrong with the genome that
 * comes out (schema, bounds, guard). Never throws, whatever the reply says.
 */
export function parseEdits(
  content: string | null,
  parent: Genome,
  tasks: readonly string[],
  check: (genome: Genome) => string[],
): ParsedEdits {
  const reply = jsonReply(content);
  if (reply === null) return refuse('the reply holds no JSON object that can be parsed');
  const { hypothesis, expects, edits } = reply;
  if (!Array.isArray(edits) || edits.length === 0)
    return refuse('"edits" must be a list with at least one edit');
  if (edits.length > MAX_EDITS)
    return refuse(`"edits" has ${edits.length} entries; at most ${MAX_EDITS} are allowed`);
  let genome = parent;
  const problems: string[] = [];
  for (const [i, edit] of edits.entries()) {
    const applied = applyEdit(genome, edit);
    if (typeof applied === 'string') problems.push(`edit ${i + 1}: ${applied}`);
    else genome = applied;
  }
  if (problems.length === 0) problems.push(...check(genome));
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    genome,
    hypothesis: typeof hypothesis === 'string' ? hypothesis.replace(/\s+/g, ' ').trim().slice(0, 500) : '',
    expects: Array.isArray(expects) ? tasks.filter((task) => expects.includes(task)) : [],
  };
}

/** The genome after the edit, or what is wrong with the edit. */
function applyEdit(genome: Genome, edit: Json): Genome | string {
  if (edit === null || typeof edit !== 'object' || Array.isArray(edit)) return 'is no object';
  const { op, path, value } = edit;
  if (typeof path !== 'string') return '"path" must be a text';
  try {
    if (op === 'remove') {
      if (!/^(rules|skills)\./.test(path)) return `${path}: only rules and skills can be removed`;
      if (getGene(genome, path) === undefined) return `${path}: there is no such gene to remove`;
      return removeGene(genome, path);
    }
    if (op !== 'set') return `"op" must be "set" or "remove", not ${JSON.stringify(op ?? null)}`;
    if (value === undefined || value === null) return `${path}: "set" needs a "value"`;
    // A server of tools is a command on the user's machine: not for a model to propose.
    if (path.startsWith('mcp.')) return `${path}: servers cannot be edited`;
    return setGene(genome, path, whole(genome, path, value));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A skill's fields that the mutator cannot see (other files, licence) stay as they are. Validated by `check`. */
function whole(genome: Genome, path: string, value: Json): GeneValue {
  if (!path.startsWith('skills.') || typeof value !== 'object') return value as GeneValue;
  return { files: {}, ...(getGene(genome, path) as object | undefined), ...value } as unknown as GeneValue;
}

function refuse(problem: string): ParsedEdits {
  return { ok: false, problems: [problem] };
}
