/** Dollars per million tokens, and the day on which somebody looked. */
export type Price = { input: number; cachedInput: number; output: number; asOf: string };

/** Inclusive bounds of what an endpoint accepts; null where it has no such parameter, or ignores it. */
export type Range = { min: number; max: number } | null;

/** What is known of a model behind an endpoint: what can be said to it, and what that costs. */
export type Profile = {
  /** The model's name, or `*` for those that nothing is known of. */
  name: string;
  /** Tokens of prompt and reply together; null where unknown. */
  context: number | null;
  /** The name of the parameter that bounds the reply. */
  maxTokens: 'max_tokens' | 'max_completion_tokens';
  /** The parameters of `sampling` as the endpoint has them, under the API's own names. */
  sampling: Record<'temperature' | 'top_p' | 'frequency_penalty' | 'presence_penalty' | 'max_tokens', Range>;
  /** Whether `seed` may be sent. */
  seed: boolean;
  /**
   * Where thinking stands, and what becomes of it in the history. `none`. `strip`: wherever it stands, it is taken out
   * before the next request. `send-back`: it goes back whole, as it came: in `content` as `<think>…</think>`, in
   * `reasoning_details` when asked for by `reasoning_split` (MiniMax), or in `reasoning_content` (Kimi and DeepSeek refuse
   * a tool loop without it while they think). In a config file: `models: {kimi-k2-thinking: {thinking: send-back}}`.
   */
  thinking: 'none' | 'send-back' | 'strip';
  /** Whether `reasoning_split: true` is sent. */
  reasoningSplit: boolean;
  /** Rough speed, for forecasts: tokens written a second, and seconds until the first. */
  pace: { tokensPerSecond: number; firstSeconds: number };
  /** Null where unknown: a run is refused unless told otherwise. */
  price: Price | null;
};
