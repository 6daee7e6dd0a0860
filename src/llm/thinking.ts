import type { AssistantMessage } from './llm.ts';

/**
 * A text without its thinking: closed `<think>…</think>` blocks, an unclosed one to the end of the text, and a stray
 * `</think>` with all that stands before it (the opening tag was part of the prompt); `<thinking>` alike. Blocks do
 * not nest. A text without such tags comes back as it is, any other without white space at its start. Linear time.
 */
export function stripThinking(text: string): string {
  return split(text).spoken;
}

/** All the thinking of a message, for those who read along: from its own fields, then from `content`; '' for none. */
export function thinkingOf(message: AssistantMessage): string {
  const parts = [
    message.reasoning_content ?? '',
    ...detailTexts(message.reasoning_details),
    split(message.content ?? '').thought,
  ];
  // Some endpoints say it twice, under two names.
  return [...new Set(parts)].filter((part) => part !== '').join('\n\n');
}

/** What a message says, without thinking; '' where it says nothing. */
export function spoken(message: { content: string | null }): string {
  return stripThinking(message.content ?? '');
}

const TAG = /<(\/?)think(?:ing)?>/gi;

/** One pass over the tags: a pattern over whole blocks would take quadratic time on hostile text. */
function split(text: string): { spoken: string; thought: string } {
  let said: string[] = [];
  const thought: string[] = [];
  let inside = false;
  let from = 0;
  let seen = false;
  for (const tag of text.matchAll(TAG)) {
    const closing = tag[1] === '/';
    if (inside && !closing) continue;
    const part = text.slice(from, tag.index);
    if (closing) {
      thought.push(...(inside ? [] : said), part);
      if (!inside) said = [];
    } else {
      said.push(part);
    }
    inside = !closing;
    from = tag.index + tag[0].length;
    seen = true;
  }
  if (!seen) return { spoken: text, thought: '' };
  (inside ? thought : said).push(text.slice(from));
  return {
    spoken: said.join('').trimStart(),
    thought: thought
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .join('\n\n'),
  };
}

/** The texts in `reasoning_details`: a list of records with `text`, or with `summary`. */
function detailTexts(details: AssistantMessage['reasoning_details']): string[] {
  if (!Array.isArray(details)) return [];
  return details.flatMap((detail) => {
    if (detail === null || typeof detail !== 'object' || Array.isArray(detail)) return [];
    const text = detail.text ?? detail.summary;
    return typeof text === 'string' ? [text] : [];
  });
}
