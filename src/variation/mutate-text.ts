import type { Genome } from '../genome/genome.ts';
import type { Llm } from '../llm/llm.ts';
import { type ParsedEdits, parseEdits } from './parse-edits.ts';
import { type Brief, mutationPrompt, repairPrompt } from './prompts.ts';

/** How often a mutator may answer: the first time, and once more with what was wrong. */
const ATTEMPTS = 2;

/**
 * Lets the model edit a genome: proposed, validated, repaired once, else refused with what is wrong. `seedOf` gives
 * the request's seed for attempt 0 and 1. Rejects only as `ask` does.
 */
export async function mutateText(
  ask: Llm,
  model: string,
  brief: Brief,
  tasks: readonly string[],
  check: (genome: Genome) => string[],
  seedOf: (attempt: number) => number,
): Promise<ParsedEdits> {
  const messages = mutationPrompt(brief);
  let parsed: ParsedEdits = { ok: false, problems: [] };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reply = await ask({ model, messages: [...messages], temperature: 1, seed: seedOf(attempt) });
    parsed = parseEdits(reply.message.content, brief.genome, tasks, check);
    if (parsed.ok) return parsed;
    messages.push(...repairPrompt(reply.message.content ?? '', parsed.problems));
  }
  return parsed;
}
