import type { ChatRequest } from '../llm/llm.ts';

export function mutate(_request: ChatRequest): string {
  return '{"hypothesis":"nothing","expects":[],"edits":[]}';
}
