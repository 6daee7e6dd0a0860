import type { Json } from '../json.ts';
import { jsonReply } from '../llm/json-reply.ts';

/** Characters of a reply that is read at all, and levels that anything in a genome could need, with room to spare. */
const LONGEST = 200_000;
const DEEPEST = 12;
/** Names by which a record's prototype could be reached. */
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/** The JSON object in a model's reply, safe to walk through; or in one sentence why there is none. Never throws. */
export function readReply(content: string | null): { [key: string]: Json } | string {
  const size = content?.length ?? 0;
  if (size > LONGEST) return `the reply has ${size} characters, more than ${LONGEST}`;
  let reply: { [key: string]: Json } | null = null;
  try {
    reply = jsonReply(content);
  } catch {
    // Deep nesting exhausts the stack of whoever descends into it.
  }
  if (reply === null) return 'the reply holds no JSON object that can be parsed';
  return oddShape(reply) ?? reply;
}

/** Level by level: who descended by calling himself would run out of stack. */
function oddShape(reply: Json): string | null {
  let level: Json[] = [reply];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return `the reply is nested deeper than ${DEEPEST} levels`;
    const next: Json[] = [];
    for (const item of level) {
      if (item === null || typeof item !== 'object') continue;
      for (const [key, value] of Object.entries(item)) {
        if (FORBIDDEN.includes(key)) return `the reply has the key "${key}", which is not allowed`;
        next.push(value);
      }
    }
    level = next;
  }
  return null;
}
