import type { ChatRequest, Llm, Message } from '../llm/llm.ts';
import { openaiLlm } from '../llm/openai.ts';
import { criticise } from './critic.ts';
import { merge } from './merger.ts';
import { mutate } from './mutator.ts';
import { writeNote } from './note.ts';
import { type Call, choices } from './policy.ts';
import { readResearch, researchNote } from './research/experiment.ts';
import { researchChoices } from './research/policy.ts';
import { sample } from './sample.ts';
import { readConversation } from './view.ts';

/** The name that the offline model answers to. */
export const OFFLINE_MODEL = 'offline';

/**
 * The offline model as an `Llm`: through the OpenAI SDK, like any other, with a `fetch` that answers in process.
 * It is a stand-in for a language model, not one.
 */
export function offlineLlm(): Llm {
  return openaiLlm({ baseURL: 'http://offline.invalid/v1', apiKey: 'none', fetch: offlineFetch });
}

/** Answers `POST …/chat/completions` as the API would, without a network. */
export async function offlineFetch(_url: unknown, init?: { body?: unknown }): Promise<Response> {
  const request = JSON.parse(String(init?.body)) as ChatRequest;
  return new Response(JSON.stringify(complete(request)), {
    status: 200,
    headers: { 'content-type': 'application/json' },
  });
}

type Reply = { content: string; calls: Call[] };

/** One completion, in the API's form. Tokens are counted as a quarter of the characters. */
export function complete(request: ChatRequest) {
  const { content, calls } = reply(request);
  const toolCalls = calls.map((call, i) => ({
    id: `call_${request.seed ?? 0}_${i}`,
    type: 'function' as const,
    function: { name: call.name, arguments: JSON.stringify(call.args) },
  }));
  const most = (request.max_tokens ?? Number.POSITIVE_INFINITY) * 4;
  let left = most - content.length;
  for (const call of toolCalls) {
    call.function.arguments = call.function.arguments.slice(0, Math.max(0, left));
    left -= call.function.arguments.length;
  }
  const length = Math.min(
    most,
    toolCalls.reduce((sum, call) => sum + call.function.arguments.length, content.length),
  );
  const cut = left < 0;
  const promptTokens = tokens(request.messages.reduce((sum, message) => sum + lengthOf(message), 0));
  return {
    id: `offline-${request.seed ?? 0}`,
    object: 'chat.completion',
    created: 0,
    model: request.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content.slice(0, Math.min(content.length, most)),
          ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
        },
        finish_reason: cut ? 'length' : toolCalls.length > 0 ? 'tool_calls' : 'stop',
      },
    ],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: tokens(length),
      total_tokens: promptTokens + tokens(length),
    },
  };
}

function reply(request: ChatRequest): Reply {
  const system = request.messages[0]?.content ?? '';
  if (system.startsWith('You improve the harness of an agent'))
    return { content: mutate(request), calls: [] };
  if (system.startsWith('You criticise the work of an agent'))
    return { content: criticise(request), calls: [] };
  if (system.startsWith('You merge two versions')) return { content: merge(request), calls: [] };
  const view = readConversation(request.messages);
  const research = readResearch(request.messages, view);
  if (view.wantsNote) return { content: research ? researchNote(research) : writeNote(view), calls: [] };
  const offered = new Set((request.tools ?? []).map((tool) => tool.function.name));
  const all = research ? researchChoices(research) : choices(view);
  const possible = all.filter((choice) => choice.calls.every((call) => offered.has(call.name)));
  if (possible.length === 0) return { content: 'There is nothing left that I can do.', calls: [] };
  const chosen = sample(possible, counts(view.said), request);
  return { content: chosen.says, calls: chosen.calls };
}

/** How often each thing was said; what the penalties count. */
function counts(said: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const text of said) times.set(text, (times.get(text) ?? 0) + 1);
  return times;
}

function lengthOf(message: Message): number {
  const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
  return (
    (message.content?.length ?? 0) + calls.reduce((sum, call) => sum + call.function.arguments.length, 0)
  );
}

function tokens(characters: number): number {
  return Math.ceil(characters / 4);
}
