import { type AssistantMessage, type ChatRequest, type Llm, LlmError, type Message } from './llm.ts';

/**
 * Repairs what some endpoints cannot forgive: they refuse a request (MiniMax, code 2013), or break over it with a 500
 * (llama.cpp), because an earlier turn of the model itself holds tool-call arguments that are not JSON. Such turns are
 * dropped and the request sent once more. An endpoint that had refused and was helped by it is spared the first try from
 * then on; a 500 may have had other reasons. A refusal for the prompt's length is none of it.
 * It may ask twice for a call, so it stands outside `withBudget`, where each request has an entry of its own.
 */
export function withMendedHistory(llm: Llm): Llm {
  let picky = false;
  return async (request, signal) => {
    const mended = mend(request);
    if (mended === null) return llm(request, signal);
    if (picky) return llm(mended, signal);
    try {
      return await llm(request, signal);
    } catch (error) {
      if (!(error instanceof LlmError)) throw error;
      const refused = error.fault === 'bad-request';
      if (!refused && error.status !== 500) throw error;
      const reply = await llm(mended, signal);
      picky ||= refused;
      return reply;
    }
  };
}

/** The request without its unusable turns; null where it has none. */
function mend(request: ChatRequest): ChatRequest | null {
  const messages: Message[] = [];
  let dropped = 0;
  for (let i = 0; i < request.messages.length; i++) {
    const message = request.messages[i]!;
    if (message.role !== 'assistant' || !isUnusable(message)) {
      messages.push(message);
      continue;
    }
    dropped++;
    const results: string[] = [];
    while (request.messages[i + 1]?.role === 'tool') results.push(request.messages[++i]!.content ?? '');
    if (i + 1 >= request.messages.length) messages.push(inItsPlace(message, results));
  }
  return dropped > 0 ? { ...request, messages } : null;
}

function isUnusable(message: AssistantMessage): boolean {
  return (message.tool_calls ?? []).some((call) => {
    try {
      const value: unknown = JSON.parse(call.function.arguments);
      return typeof value !== 'object' || value === null;
    } catch {
      return true;
    }
  });
}

/** What the model is told where its last turn was dropped: the tool's own words would else be lost. */
function inItsPlace(message: AssistantMessage, results: readonly string[]): Message {
  const names = (message.tool_calls ?? []).map((call) => call.function.name).join(', ');
  const lead = `Your call (${names}) could not be used: its arguments were not JSON.`;
  return { role: 'user', content: [lead, ...results].join('\n') };
}
