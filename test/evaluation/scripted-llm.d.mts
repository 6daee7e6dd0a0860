import type { Llm } from '../../src/llm/llm.ts';

export function llm(): Llm;
export function scriptedLlm(llmError: (message: string) => Error): Llm;
