import type { Advisor } from '../llm/advisor.ts';
import { type ChatReply, LlmError, type Message } from '../llm/llm.ts';
import { spoken } from '../llm/thinking.ts';
import { oneLine } from '../prompts/one-line.ts';
import { promptRoom, replyTokens } from '../prompts/prompt-room.ts';
import { repairPrompt } from '../prompts/prompts.ts';
import { tryAsk } from '../prompts/try-ask.ts';
import { type Brief, briefMutator, lengthOf } from './brief.ts';
import { type EditRules, type ParsedEdits, parseEdits } from './parse-edits.ts';

/** How often a mutator may answer: the first time, and once more with what was wrong. */
const ATTEMPTS = 2;
/** The longest skill takes 10,000 tokens; the rest is for thinking, which counts as output. */
const REPLY = 16_384;
/** The share of a prompt that is asked again where the endpoint finds it too long. */
const SHORTER = 0.3;

/**
 * Lets the model edit a genome: proposed, validated, repaired once, else refused with what is wrong; a mutator that
 * does not answer is a refusal too. `seedOf` gives the request's seed for attempt 0 and 1. Rejects only for faults
 * that stop the run.
 */
export async function mutateText(
  mutator: Advisor,
  brief: Brief,
  rules: EditRules,
  seedOf: (attempt: number) => number,
): Promise<ParsedEdits> {
  const { model, context } = mutator;
  const max_tokens = replyTokens(REPLY, context);
  let room = promptRoom(max_tokens, context);
  let shortened = false;
  let repair: Message[] = [];
  let parsed: ParsedEdits = { ok: false, problems: [] };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const request = () => ({
      model,
      messages: [...briefMutator(brief, room), ...repair],
      temperature: 1,
      seed: seedOf(attempt),
      max_tokens,
    });
    const first = request();
    let reply = await tryAsk(mutator.ask, first);
    if (reply instanceof LlmError && reply.fault === 'too-long' && !shortened) {
      shortened = true;
      room = SHORTER * lengthOf(first.messages);
      reply = await tryAsk(mutator.ask, request());
    }
    if (reply instanceof LlmError) {
      const problem = oneLine(`the mutator did not answer: ${reply.message}`, 200);
      return { ok: false, problems: [problem], unanswered: true };
    }
    parsed = parseEdits(reply.message.content, brief.genome, rules);
    if (parsed.ok) return parsed;
    parsed = { ok: false, problems: [...cutOff(reply, max_tokens), ...parsed.problems] };
    repair = repairPrompt(spoken(reply.message), parsed.problems);
  }
  return parsed;
}

function cutOff({ finish }: ChatReply, most: number): string[] {
  return finish === 'length' ? [`the reply was cut off at ${most} tokens: think less, answer shorter`] : [];
}
