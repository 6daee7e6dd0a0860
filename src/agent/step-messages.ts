import type { Message, ToolCall } from '../llm/llm.ts';
import type { ToolResult } from './tools.ts';

/** A step as text, for the loop guard: each call with what it gave. */
export function stepText(calls: ToolCall[], results: ToolResult[]): string {
  return calls
    .map((call, i) => `${call.function.name} ${call.function.arguments} ${results[i]?.text}`)
    .join('\n');
}

/** What the calls of a step gave, as the model reads it. */
export function textsOf(results: ToolResult[]): string[] {
  return results.map((result) => result.text);
}

/** The results as messages, the last of them with `tail`; where nothing was called, the tail alone. */
export function withTail(calls: ToolCall[], texts: string[], tail: string): Message[] {
  if (calls.length === 0) return [{ role: 'user', content: tail }];
  return toolMessages(calls, [...texts.slice(0, -1), `${texts.at(-1)}\n${tail}`]);
}

/** The results as messages, one for each call. */
export function toolMessages(calls: { id: string }[], texts: string[]): Message[] {
  return calls.map((call, i) => ({ role: 'tool', tool_call_id: call.id, content: texts[i] ?? '' }));
}
