import type { ChatRequest } from '../llm/llm.ts';
import { rngAt } from '../rng.ts';

/** Something that the model might say next, with its logit. */
export type Option = { says: string; logit: number };

/**
 * The probabilities that the API defines: each logit less `frequency_penalty` × the times it was said in the text
 * so far and less `presence_penalty` if it was said at all (OpenAI API reference, "Frequency and presence
 * penalties"); divided by `temperature`; softmax; the smallest set of likeliest options whose sum reaches `top_p`
 * kept and renormalised (Holtzman et al. 2020). The text so far is the assistant's messages of the conversation,
 * and what counts as a token is a whole saying. Temperature 0 puts everything on the likeliest, the first of equals.
 */
export function distribution(
  options: readonly Option[],
  said: ReadonlyMap<string, number>,
  sampling: Pick<ChatRequest, 'temperature' | 'top_p' | 'frequency_penalty' | 'presence_penalty'>,
): number[] {
  const { temperature = 1, top_p = 1, frequency_penalty = 0, presence_penalty = 0 } = sampling;
  const logits = options.map(({ says, logit }) => {
    const times = said.get(says) ?? 0;
    return logit - frequency_penalty * times - (times > 0 ? presence_penalty : 0);
  });
  const top = Math.max(...logits);
  if (temperature === 0) return oneHot(options.length, logits.indexOf(top));
  const weights = logits.map((logit) => Math.exp((logit - top) / temperature));
  const order = weights.map((_, i) => i).sort((a, b) => weights[b]! - weights[a]! || a - b);
  const total = weights.reduce((a, b) => a + b, 0);
  const kept = new Set<number>();
  let sum = 0;
  for (const i of order) {
    if (kept.size > 0 && sum >= top_p * total) break;
    kept.add(i);
    sum += weights[i]!;
  }
  return weights.map((weight, i) => (kept.has(i) ? weight / sum : 0));
}

/** Draws one option; the only place of the offline model that sees the request's sampling settings and seed. */
export function sample<T extends Option>(
  options: readonly T[],
  said: ReadonlyMap<string, number>,
  request: ChatRequest,
): T {
  const probabilities = distribution(options, said, request);
  let left = rngAt('sample', request.seed ?? 0).next();
  for (const [i, probability] of probabilities.entries()) {
    left -= probability;
    if (left < 0) return options[i]!;
  }
  return options[probabilities.findLastIndex((probability) => probability > 0)]!;
}

function oneHot(length: number, at: number): number[] {
  return Array.from({ length }, (_, i) => (i === at ? 1 : 0));
}
