import type { Price, Profile, Range } from './profile.ts';

/**
 * What is known of models, each with the day of its source; a user's overrides come before it. Prices are dollars per
 * million tokens, at the provider's standard tier.
 */
export const PROFILES: readonly Profile[] = [
  // platform.minimax.io/docs: the OpenAI-compatible reference and the pricing page. Its reference names a bound of
  // 2,048 tokens for replies and says that longer ones are cut, other pages 131,072, which clients do send.
  miniMax('MiniMax-M2.7', 60, price(0.3, 0.06, 1.2, '2026-11-01')),
  miniMax('MiniMax-M2.7-highspeed', 100, price(0.6, 0.06, 2.4, '2026-11-01')),

  // developers.openai.com/api/docs/models, /pricing and /guides/prompt-caching. Since GPT-5.6 what is written to the
  // cache costs 1.25 × the price of input, unasked: that is the price of input here. Above 272,000 tokens of prompt
  // all prices rise: the context here ends where they do.
  openaiReasoning('gpt-6.1-sol', price(2.5, 0.1, 10, '2026-09-30')),
  openaiReasoning('gpt-6-astra', price(12.5, 1, 50, '2026-09-07')),
  openaiReasoning('gpt-6-sol', price(2.5, 0.2, 10, '2026-09-23')),
  openaiReasoning('gpt-6-luna', price(0.125, 0.01, 0.5, '2026-09-23')),
  openaiReasoning('gpt-5.6-sol', price(5, 0.4, 20, '2026-09-22')),
  openaiReasoning('gpt-5.6-terra', price(2.5, 0.2, 12, '2026-09-22')),
  openaiReasoning('gpt-5.6-luna', price(0.25, 0.02, 1.2, '2026-09-22')),
  openaiChat('gpt-4.1', 1_047_576, 32_768, price(2, 0.5, 8, '2026-04-01')),
  openaiChat('gpt-4.1-mini', 1_047_576, 32_768, price(0.4, 0.1, 1.6, '2026-04-01')),
  openaiChat('gpt-4.1-nano', 1_047_576, 32_768, price(0.1, 0.025, 0.4, '2026-04-01')),
  openaiChat('gpt-4o-mini', 128_000, 16_384, price(0.15, 0.075, 0.6, '2026-04-01')),

  {
    ...unknownModel(),
    name: 'offline',
    thinking: 'none',
    pace: { tokensPerSecond: 100_000, firstSeconds: 0 },
    price: price(0, 0, 0, '2026-11-21'),
  },
  unknownModel(),
];

/**
 * The profile of a model: by its exact name, else by the longest known name that it continues with a date or a
 * snapshot (`gpt-4.1-2025-04-14`, `…-latest`, `…-preview`), else `*`. `overrides` are by model name, or `*` for
 * models that nothing else is known of; a name that only they know starts from `*`.
 */
export function profileOf(model: string, overrides: Record<string, Partial<Profile>> = {}): Profile {
  const known = new Map(PROFILES.map((profile) => [profile.name, profile]));
  const named = Object.keys(overrides).filter((name) => name !== '*');
  const base = nameFor(model, [...known.keys()]) ?? '*';
  const own = nameFor(model, named) ?? base;
  const override = own === '*' || named.includes(own) ? overrides[own] : undefined;
  // OpenAI's other reasoning models: how they are spoken to is known, their price is not.
  const profile = base === '*' && REASONING.test(model) ? openaiReasoning('*', null) : known.get(base)!;
  const name = base === '*' && own !== '*' ? own : profile.name;
  return {
    ...profile,
    ...override,
    sampling: { ...profile.sampling, ...override?.sampling },
    pace: { ...profile.pace, ...override?.pace },
    name,
  };
}

const REASONING = /^(gpt-[5-9](\D|$)|o[1-9](-|$))/;
const SNAPSHOT = /^-(?:\d{4}-\d{2}-\d{2}|\d{4,8}|latest|preview|snapshot)(?:-\w+)*$/;

function nameFor(model: string, names: string[]): string | undefined {
  if (names.includes(model)) return model;
  return names
    .filter((name) => model.startsWith(name) && SNAPSHOT.test(model.slice(name.length)))
    .sort((a, b) => b.length - a.length)[0];
}

function unknownModel(): Profile {
  return {
    name: '*',
    context: null,
    maxTokens: 'max_tokens',
    sampling: {
      temperature: { min: 0, max: 2 },
      top_p: { min: 0, max: 1 },
      frequency_penalty: { min: -2, max: 2 },
      presence_penalty: { min: -2, max: 2 },
      max_tokens: { min: 1, max: Number.MAX_SAFE_INTEGER },
    },
    seed: true,
    thinking: 'strip',
    reasoningSplit: false,
    pace: { tokensPerSecond: 40, firstSeconds: 1 },
    price: null,
  };
}

/** Temperature and top_p lie in (0, 1]: zero is an error. The penalties are ignored, `seed` is not documented. */
function miniMax(name: string, tokensPerSecond: number, cost: Price): Profile {
  const above0: Range = { min: 0.01, max: 1 };
  return {
    name,
    context: 204_800,
    maxTokens: 'max_completion_tokens',
    sampling: {
      temperature: above0,
      top_p: above0,
      frequency_penalty: null,
      presence_penalty: null,
      max_tokens: { min: 1, max: 131_072 },
    },
    seed: false,
    thinking: 'send-back',
    reasoningSplit: true,
    pace: { tokensPerSecond, firstSeconds: 2 },
    price: cost,
  };
}

/** They refuse every parameter of sampling while they think, which is their default; their thinking is hidden. */
function openaiReasoning(name: string, cost: Price | null): Profile {
  return {
    ...openaiChat(name, 272_000, 128_000, cost),
    sampling: {
      temperature: null,
      top_p: null,
      frequency_penalty: null,
      presence_penalty: null,
      max_tokens: { min: 1, max: 128_000 },
    },
    seed: false,
    pace: { tokensPerSecond: 60, firstSeconds: 5 },
  };
}

function openaiChat(name: string, context: number, longest: number, cost: Price | null): Profile {
  const base = unknownModel();
  return {
    ...base,
    name,
    context,
    maxTokens: 'max_completion_tokens',
    sampling: { ...base.sampling, max_tokens: { min: 1, max: longest } },
    thinking: 'none',
    pace: { tokensPerSecond: 80, firstSeconds: 1 },
    price: cost,
  };
}

function price(input: number, cachedInput: number, output: number, asOf: string): Price {
  return { input, cachedInput, output, asOf };
}
