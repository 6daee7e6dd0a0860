import { type ChatReply, type ChatRequest, type Llm, LlmError } from '../llm/llm.ts';

/**
 * The model's reply, or the fault because of which there is none and one does without: the search goes on with a slot
 * or a lesson less. Rejects where no other call would fare better (`fatal`), and where the run is being stopped: what
 * was not answered for that reason is asked again when it goes on.
 */
export async function tryAsk(ask: Llm, request: ChatRequest): Promise<ChatReply | LlmError> {
  try {
    return await ask(request);
  } catch (error) {
    if (!(error instanceof LlmError) || error.fatal || error.fault === 'cancelled') throw error;
    return error;
  }
}
