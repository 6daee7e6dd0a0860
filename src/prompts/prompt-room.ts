/**
 * What a prompt may hold in characters, however large the model's context: some 40,000 tokens. More costs more with
 * every call, and buries what matters.
 */
const MOST = 120_000;
/** Characters a token: English and code have 3 to 4; the lesser, so that a prompt rather fits. */
const A_TOKEN = 3;
/** Share of the context that a reply may take, where the context is small. */
const REPLY_SHARE = 0.25;

/** `max_tokens` for a reply that should not need more than `most`, in a context of so many tokens (null: unknown). */
export function replyTokens(most: number, context: number | null = null): number {
  return context === null ? most : Math.max(1, Math.min(most, Math.floor(context * REPLY_SHARE)));
}

/** Characters that a prompt may have beside a reply of `reply` tokens, in a context of so many tokens (null: unknown). */
export function promptRoom(reply: number, context: number | null = null): number {
  return context === null ? MOST : Math.max(0, Math.min(MOST, (context - reply) * A_TOKEN));
}
