import type { Json } from '../json.ts';

/** What a model wants done; `arguments` are as it wrote them: JSON, it is to be hoped. */
export type ToolCall = { id: string; type: 'function'; function: { name: string; arguments: string } };

/** What a model said. Thinking stands in `content` as `<think>…</think>`, or in a field of its own, as the endpoint has it. */
export type AssistantMessage = {
  role: 'assistant';
  content: string | null;
  tool_calls?: ToolCall[];
  /** Thinking that goes back to the endpoint as it came (MiniMax with `reasoning_split`). */
  reasoning_details?: Json;
  /** Thinking that is shown (vLLM), and goes back where the endpoint wants it (Kimi, DeepSeek). */
  reasoning_content?: string;
};

/** A turn of the conversation; what a tool gave stands behind the call with its id. */
export type Message =
  | { role: 'system' | 'user'; content: string }
  | AssistantMessage
  | { role: 'tool'; tool_call_id: string; content: string };

/** A tool as the model is told of it; `parameters` is a JSON Schema. */
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

/** What came of a call. Tokens are the endpoint's own count, unless `unmetered`. */
export type ChatReply = {
  message: AssistantMessage;
  finish: string;
  tokensIn: number;
  tokensOut: number;
  /** Those of `tokensIn` that the endpoint had cached; left out where it does not say. */
  tokensCached?: number;
  /** What the call cost; left out where it costs nothing. */
  usd?: number;
  /** The endpoint did not say what the call used: tokens are counted at the most they can be. */
  unmetered?: true;
};

/**
 * A frozen model, as a function. Rejects only for infrastructure (`LlmError`); what the model says, however
 * odd, is a reply. When `signal` aborts it rejects soon. Wrappers are `Llm → Llm`.
 */
export type Llm = (request: ChatRequest, signal?: AbortSignal) => Promise<ChatReply>;

/**
 * What can go wrong with a call. The table in the README ("Faults") says what is done about each.
 *
 * - `refused`: 401, 402, 403, or a 429 that says that the quota is used up: nothing works until the user acts
 * - `unknown-model`: 404 of the model
 * - `bad-request`: another 4xx; `too-long`: the prompt does not fit the model's context
 * - `busy`: 429; `unavailable`: 408, 409, 425, 5xx; `connection`: reset, refused, name not found, TLS
 * - `timeout`: nothing came for too long, or the whole took too long
 * - `garbled`: a 200 that is no completion: a body cut short, no choice; but a page of HTML is `unavailable`
 * - `budget`: what the call may cost is more than what is left of `limit`
 * - `unrecorded`: the ledger takes no more lines (a full disk), and no call is made that it does not hold
 * - `unseen`: the cassette does not hold the request
 * - `cancelled`: nobody waits for the answer any more
 */
export type Fault =
  | 'refused'
  | 'unknown-model'
  | 'bad-request'
  | 'too-long'
  | 'busy'
  | 'unavailable'
  | 'connection'
  | 'timeout'
  | 'garbled'
  | 'budget'
  | 'unrecorded'
  | 'unseen'
  | 'cancelled';

/** Worth another try, later. */
const RETRYABLE: readonly Fault[] = ['busy', 'unavailable', 'connection', 'timeout', 'garbled'];
/** No other call will fare better until somebody acts. */
const FATAL: readonly Fault[] = ['refused', 'unknown-model', 'budget', 'unrecorded', 'unseen'];

/** The endpoint did not answer as it should; a trial that meets it is lost, never scored 0. */
export class LlmError extends Error {
  override readonly name = 'LlmError';
  readonly fault: Fault;
  /** The status of the answer; for an error in a 200 the one that it names, else 200; null where none came. */
  readonly status: number | null;
  /** How long the endpoint asks to wait, ms; null where it does not say. */
  readonly retryAfterMs: number | null;
  /** Whether the endpoint may have charged for the call although no usage came back. */
  readonly billed: boolean;
  /** What the user can do about it; empty where there is nothing. */
  readonly hint: string;
  /** For `budget`: which limit the call does not fit; null for all others. */
  readonly limit: 'usd' | 'tokens' | null;
  /** It was tried for as long as is sensible: not worth another try, and no other call will fare better. */
  readonly gaveUp: boolean;

  constructor(
    fault: Fault,
    message: string,
    more: {
      status?: number | null;
      retryAfterMs?: number | null;
      billed?: boolean;
      hint?: string;
      limit?: 'usd' | 'tokens' | null;
      gaveUp?: boolean;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.fault = fault;
    this.status = more.status ?? null;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.billed = more.billed ?? false;
    this.hint = more.hint ?? '';
    this.limit = more.limit ?? null;
    this.gaveUp = more.gaveUp ?? false;
  }

  get retryable(): boolean {
    return !this.gaveUp && RETRYABLE.includes(this.fault);
  }

  get fatal(): boolean {
    return this.gaveUp || FATAL.includes(this.fault);
  }
}

/** The fault of a call that nobody waits for any more; `when` says how far it had come. */
export function cancelled(when: string): LlmError {
  return new LlmError('cancelled', `cancelled ${when}`);
}
