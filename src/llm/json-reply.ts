import type { Json } from '../json.ts';
import { stripThinking } from './thinking.ts';

type JsonObject = { [key: string]: Json };

/**
 * The JSON object in a model's reply, its thinking left out: a fenced block (the last that parses), else what stands
 * between the first `{` and the last `}`, else the last balanced object, one with members before an empty one.
 * Braces in a preamble do not fool it. Null where there is none. Linear time, whatever the text.
 */
export function jsonReply(content: string | null): JsonObject | null {
  const text = content ?? '';
  const said = stripThinking(text);
  const found = objectIn(said);
  if (found !== null || said === text) return found;
  // A tag inside a JSON string looks like thinking, but a draft in real thinking is no reply.
  return /^\s*(\{|```)/.test(text) ? objectIn(text) : null;
}

function objectIn(text: string): JsonObject | null {
  return fenced(text) ?? parsed(text, text.indexOf('{'), text.lastIndexOf('}')) ?? lastBalanced(text);
}

/** Fences count at the start of a line only: in JSON strings, where skills hold them too, line breaks are escaped. */
function fenced(text: string): JsonObject | null {
  let found: JsonObject | null = null;
  let from = -1;
  let tries = TRIES;
  for (const fence of text.matchAll(/^[ \t]*```[ \t]*(?:json\w*)?[ \t]*\r?$/gim)) {
    if (from >= 0) {
      if (tries-- === 0) break;
      const block = text.slice(from, fence.index);
      const object = parsed(block, block.indexOf('{'), block.length);
      found = object ?? found;
      from = object ? -1 : fence.index + fence[0].length;
    } else {
      from = fence.index + fence[0].length;
    }
  }
  return found;
}

/** How many times the text's length may be looked at, and how many stretches of it parsed: hostile text has millions. */
const PASSES = 8;
const TRIES = 1000;

function lastBalanced(text: string): JsonObject | null {
  let found: JsonObject | null = null;
  let left = text.length * PASSES;
  let tries = TRIES;
  // Only what can be an object is followed: `{` and a key, or `{}`.
  const opening = /\{(?=\s{0,40}["}])/g;
  for (let start = opening.exec(text); start && left > 0 && tries-- > 0; start = opening.exec(text)) {
    const end = endOf(text, start.index);
    left -= (end < 0 ? text.length : end) - start.index;
    const object = end < 0 ? null : parsed(text, start.index, end);
    if (object === null) continue;
    if (found === null || Object.keys(object).length > 0) found = object;
    opening.lastIndex = end;
  }
  return found;
}

/** Where the object that opens at `start` closes; -1 where it does not. Braces in strings do not count. */
function endOf(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (quoted) {
      if (char === 92) at++;
      else if (char === 34) quoted = false;
    } else if (char === 34) {
      quoted = true;
    } else if (char === 123) {
      depth++;
    } else if (char === 125 && --depth === 0) {
      return at;
    }
  }
  return -1;
}

function parsed(text: string, start: number, end: number): JsonObject | null {
  if (start < 0 || end < start) return null;
  try {
    const value: unknown = JSON.parse(text.slice(start, end + 1));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}
