import type { Json } from '../json.ts';

/**
 * The JSON object in a model's reply: reasoning (`<think>…</think>`) and code fences are stripped, then what stands
 * between the first `{` and the last `}` is parsed. Null where there is none, or where it does not parse.
 */
export function jsonReply(content: string | null): { [key: string]: Json } | null {
  const text = (content ?? '')
    .replace(/<think(?:ing)?>[\s\S]*?<\/think(?:ing)?>/gi, '')
    .replace(/^[\s\S]*<\/think(?:ing)?>/i, '');
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return null;
  try {
    return JSON.parse(text.slice(start, end + 1)) as { [key: string]: Json };
  } catch {
    return null;
  }
}
