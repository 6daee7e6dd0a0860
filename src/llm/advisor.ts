import type { Llm } from './llm.ts';

/** A model that is asked for advice on harnesses, as mutator or as critic. */
export type Advisor = {
  ask: Llm;
  /** The model's name, as the endpoint knows it. */
  model: string;
  /** Tokens of prompt and reply together; null where unknown. */
  context: number | null;
};
