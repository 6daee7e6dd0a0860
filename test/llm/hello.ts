import type { ChatReply, ChatRequest } from '../../src/llm/llm.ts';

/** A call about which nothing matters but that it is made, and answered. */
export const REQUEST: ChatRequest = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
export const REPLY: ChatReply = {
  message: { role: 'assistant', content: 'hi' },
  finish: 'stop',
  tokensIn: 1,
  tokensOut: 1,
};
