import OpenAI from 'openai';
import { messageOf } from '../errors.ts';
import { type ChatReply, type ChatRequest, type Llm, LlmError, type ToolCall } from './llm.ts';

export type Endpoint = {
  baseURL: string;
  apiKey: string;
  /** How requests travel; the offline model hands in a `fetch` that never leaves the process. */
  fetch?: typeof fetch;
};

/** A model behind an OpenAI-compatible endpoint. Retries nothing by itself: wrappers decide that. */
export function openaiLlm(endpoint: Endpoint): Llm {
  const client = new OpenAI({
    baseURL: endpoint.baseURL,
    apiKey: endpoint.apiKey,
    maxRetries: 0,
    logLevel: 'off',
    ...(endpoint.fetch ? { fetch: endpoint.fetch } : {}),
  });
  return async (request) => {
    let completion: OpenAI.ChatCompletion;
    try {
      completion = await client.chat.completions.create(asBody(request));
    } catch (error) {
      throw new LlmError('unavailable', messageOf(error), { cause: error });
    }
    return asReply(completion);
  };
}

function asBody(request: ChatRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  return { ...request, stream: false } as OpenAI.ChatCompletionCreateParamsNonStreaming;
}

function asReply(completion: OpenAI.ChatCompletion): ChatReply {
  const choice = completion.choices?.[0];
  if (!choice) throw new LlmError('garbled', 'the endpoint answered without a choice');
  const calls = choice.message.tool_calls?.filter((call) => call.type === 'function') as
    | ToolCall[]
    | undefined;
  return {
    message: {
      role: 'assistant',
      content: choice.message.content,
      ...(calls?.length ? { tool_calls: calls } : {}),
    },
    finish: choice.finish_reason ?? 'stop',
    tokensIn: completion.usage?.prompt_tokens ?? 0,
    tokensOut: completion.usage?.completion_tokens ?? 0,
  };
}
