import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { sha256 } from '../json.ts';
import { redactDeep } from '../secrets.ts';
import type { ChatReply, ChatRequest, Llm } from './llm.ts';

/**
 * Keeps every reply in `file` (one JSON line each: hash of the request, reply) before it is used, and answers
 * from there when the same requests come again in the same order: what a trial that was cut off had paid for is
 * not paid for twice. At the first request that differs the rest of the file is discarded and the model asked.
 * A torn last line is dropped. One call at a time; errors are not kept; a message is not changed once it was sent.
 * Appends survive the death of the process, not of the machine.
 */
export function withReplay(llm: Llm, file: string): Llm {
  let kept: Kept[] | null = null;
  let position = 0;
  return async (request, signal) => {
    // Read with the first call: the folder may not be there before.
    kept ??= readKept(file);
    const hash = requestHash(request);
    const known = kept[position];
    if (known && known.hash === hash) {
      position++;
      return known.reply;
    }
    if (known) {
      truncateSync(file, known.start);
      kept.length = position;
    }
    const reply = redactDeep(await llm(request, signal));
    appendFileSync(file, `${JSON.stringify({ hash, reply })}\n`);
    // Never read again in this process: the place is only counted.
    kept.length = ++position;
    return reply;
  };
}

type Kept = { hash: string; reply: ChatReply; start: number };

/**
 * Requests of one conversation share nearly all their messages, so each message and tool is hashed once, as an
 * object: whoever sends requests does not change what was sent. Plain, not canonical, JSON: whatever builds
 * requests does so in one order.
 */
function requestHash({ messages, tools = [], ...rest }: ChatRequest): string {
  const parts = [JSON.stringify(rest), ...messages.map(digestOf), 'tools', ...tools.map(digestOf)];
  return sha256(parts.join(' '), 24);
}

const digests = new WeakMap<object, string>();

function digestOf(part: object): string {
  const known = digests.get(part) ?? sha256(JSON.stringify(part), 24);
  digests.set(part, known);
  return known;
}

function readKept(file: string): Kept[] {
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const kept: Kept[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    const line = parseLine(bytes.toString('utf8', start, end));
    if (line === null) break;
    kept.push({ ...line, start });
    start = end + 1;
  }
  if (start < bytes.length) truncateSync(file, start);
  return kept;
}

function parseLine(text: string): { hash: string; reply: ChatReply } | null {
  try {
    const line = JSON.parse(text);
    return typeof line?.hash === 'string' && line.reply?.message ? line : null;
  } catch {
    return null;
  }
}
