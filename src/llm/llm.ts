import type { Json } from '../json.ts';

export type ToolCall = { id: string; type: 'function'; function: { name: string; arguments: string } };

export type Message =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string | null; tool_calls?: ToolCall[] }
  | { role: 'tool'; tool_call_id: string; content: string };

export type ToolSchema = {
  type: 'function';
  function: { name: string; description: string; parameters: { [key: string]: Json } };
};

/** A chat-completions request, in the API's own names. */
export type ChatRequest = {
  model: string;
  messages: Message[];
  tools?: ToolSchema[];
  temperature?: number;
  top_p?: number;
  frequency_penalty?: number;
  presence_penalty?: number;
  max_tokens?: number;
  seed?: number;
};

export type ChatReply = {
  message: { role: 'assistant'; content: string | null; tool_calls?: ToolCall[] };
  finish: string;
  tokensIn: number;
  tokensOut: number;
};

/**
 * A frozen model, as a function. Rejects only for infrastructure (`LlmError`); what the model says, however
 * odd, is a reply. Wrappers are `Llm → Llm`.
 */
export type Llm = (request: ChatRequest) => Promise<ChatReply>;

/** The endpoint did not answer as it should; a trial that meets it is lost, never scored 0. */
export class LlmError extends Error {
  override readonly name = 'LlmError';
}
