import type { Json } from '../json.ts';
import { errorObjectFault } from './classify.ts';
import { type AssistantMessage, type ChatReply, LlmError, type ToolCall } from './llm.ts';

/** The most that a call can have used, for replies that do not say. */
type Tokens = { tokensIn: number; tokensOut: number };

/**
 * A completion as endpoints really send it, as a reply. Tolerant of what can be understood: content in parts, a
 * missing call id, arguments as an object. Throws `LlmError` `garbled` for what is no completion, or the fault that an
 * `error` in it names; both may have been charged for.
 */
export function replyOf(completion: unknown, most: () => Tokens): ChatReply {
  if (!isRecord(completion)) throw garbled('the endpoint answered with JSON that is no completion');
  const choices = completion.choices;
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  if (isRecord(choice) && choice.error) throw errorObjectFault(choice, saysAnything(choice.message));
  if (!isRecord(choice) || !isRecord(choice.message)) {
    const failed = isRecord(completion.base_resp) && completion.base_resp.status_code;
    if (completion.error || failed) throw errorObjectFault(completion);
    throw garbled('the endpoint answered without a choice');
  }
  const finish = choice.finish_reason;
  const message = messageOf(choice.message);
  if (finish === 'error' && !message.content && !message.tool_calls) {
    const what = 'the endpoint answered that it failed, and gave no reason';
    throw new LlmError('unavailable', what, { status: 200, billed: true });
  }
  return {
    message,
    finish: typeof finish === 'string' ? finish : 'stop',
    ...usageOf(completion.usage, most),
  };
}

/** A reply of more characters than are kept. */
export function tooLong(most: number): LlmError {
  return garbled(`the endpoint's answer is longer than ${most} characters`);
}

/** A 200 that is no completion: it may have been charged for. */
export function garbled(message: string): LlmError {
  return new LlmError('garbled', message, { billed: true });
}

/** Whether a value is an object with members, no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether some of the reply had come before it failed. */
function saysAnything(message: unknown): boolean {
  return isRecord(message) && Boolean(message.content || message.reasoning_content || message.tool_calls);
}

function messageOf(message: Record<string, unknown>): AssistantMessage {
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls.flatMap(callOf) : [];
  const thinking = message.reasoning_content ?? message.reasoning;
  const details = message.reasoning_details;
  return {
    role: 'assistant',
    content: contentOf(message.content),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...(details === undefined || details === null ? {} : { reasoning_details: details as Json }),
    ...(typeof thinking === 'string' && thinking !== '' ? { reasoning_content: thinking } : {}),
  };
}

function contentOf(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  return content
    .map((part) => {
      const text = isRecord(part) ? part.text : part;
      return typeof text === 'string' ? text : '';
    })
    .join('');
}

function callOf(call: unknown, i: number): ToolCall[] {
  const made = isRecord(call) ? call.function : undefined;
  if (!isRecord(call) || !isRecord(made)) return [];
  const args = made.arguments ?? '';
  return [
    {
      id: typeof call.id === 'string' && call.id !== '' ? call.id : `call_${i}`,
      type: 'function',
      function: {
        name: typeof made.name === 'string' ? made.name : '',
        arguments: typeof args === 'string' ? args : JSON.stringify(args),
      },
    },
  ];
}

/**
 * Counts that are not whole numbers, or nothing at all for a call that had a prompt, are no counts. Some endpoints (xAI)
 * count thinking beside what was said, in the total alone.
 */
function usageOf(
  usage: unknown,
  most: () => Tokens,
): Pick<ChatReply, 'tokensIn' | 'tokensOut' | 'tokensCached' | 'unmetered'> {
  if (!isRecord(usage)) return { ...most(), unmetered: true };
  const { prompt_tokens: tokensIn, completion_tokens: said, prompt_tokens_details: details } = usage;
  if (!isCount(tokensIn) || !isCount(said) || tokensIn + said === 0) {
    return { ...most(), unmetered: true };
  }
  const tokensOut = isCount(usage.total_tokens) ? Math.max(said, usage.total_tokens - tokensIn) : said;
  const cached = isRecord(details) ? details.cached_tokens : undefined;
  return {
    tokensIn,
    tokensOut,
    ...(isCount(cached) ? { tokensCached: Math.min(cached, tokensIn) } : {}),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
