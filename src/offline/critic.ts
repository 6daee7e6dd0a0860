import type { ChatRequest } from '../llm/llm.ts';

export function criticise(_request: ChatRequest): string {
  return '{"lessons":[]}';
}
