import type { Json } from '../json.ts';
import type { ChatRequest } from '../llm/llm.ts';

/** Room for two rules; a skill's body is longer, and Markdown. */
const RULE = 800;
const BODY = 20_000;

/**
 * Merges two versions of a rule or a skill, as the prompt shows them: the first one, and what only the second one says,
 * sentence by sentence for a rule and paragraph by paragraph for a skill, as far as there is room.
 */
export function merge(request: ChatRequest): string {
  const prompt = request.messages.find((message) => message.role === 'user')?.content ?? '';
  const first = version(prompt, '## The first version');
  const second = version(prompt, '## The second version');
  if (first === null || second === null) return JSON.stringify({ value: first ?? second ?? {} });
  const both = (field: string, split: RegExp, glue: string, most: number) =>
    union(String(first[field] ?? ''), String(second[field] ?? ''), split, glue, most);
  const value =
    'text' in first
      ? { when: first.when ?? 'always', text: both('text', /(?<=[.!?])\s+/, ' ', RULE) }
      : { description: first.description ?? '', body: both('body', /\n{2,}/, '\n\n', BODY) };
  return JSON.stringify({ value });
}

function union(first: string, second: string, split: RegExp, glue: string, most: number): string {
  const parts = first.split(split);
  let size = first.length;
  for (const part of second.split(split)) {
    if (parts.includes(part) || size + glue.length + part.length > most) continue;
    size += glue.length + part.length;
    parts.push(part);
  }
  return parts.join(glue);
}

/** The JSON on the line below a heading; null where it is no record. */
function version(prompt: string, heading: string): { [key: string]: Json } | null {
  const start = prompt.indexOf(`${heading}\n\n`);
  if (start < 0) return null;
  const line = prompt.slice(start + heading.length + 2).split('\n', 1)[0]!;
  try {
    const value = JSON.parse(line) as Json;
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
