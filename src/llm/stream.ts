import { errorObjectFault } from './classify.ts';
import { garbled, isRecord } from './reply.ts';

/** Puts a completion together from the pieces of a stream. */
type StreamReader = {
  /** The next stretch of text, cut anywhere. True once the stream has said that it is done. Throws `LlmError`. */
  feed(text: string): boolean;
  /** The completion as if it had not been streamed, at the end of the body. Throws `garbled` for a stream that was cut. */
  completion(): Record<string, unknown>;
};

/**
 * Reads server-sent events as endpoints really send them: comments, roles that are empty, tool calls without an index
 * or with their id in the first piece only, usage in a chunk of its own, or a whole message in the last chunk.
 */
export function readStream(): StreamReader {
  let rest: string[] = [];
  let done = false;
  let finish: string | null = null;
  let usage: unknown;
  let whole: Record<string, unknown> | null = null;
  let heard = false;
  const content = pieces();
  const thinking = pieces();
  const details: Map<unknown, Record<string, unknown>> = new Map();
  const calls = new Map<unknown, Call>();
  let lastKey: unknown;

  return {
    feed(text) {
      const newline = text.lastIndexOf('\n');
      if (newline < 0) {
        rest.push(text);
        return done;
      }
      const lines = (rest.join('') + text.slice(0, newline)).split('\n');
      rest = [text.slice(newline + 1)];
      for (const line of lines) take(line);
      return done;
    },
    completion() {
      take(rest.join(''));
      rest = [];
      if (!heard || (!done && finish === null)) throw garbled('the stream ended before the reply did');
      return { choices: [{ finish_reason: finish, message: message() }], usage };
    },
  };

  function take(line: string): void {
    if (done || !line.startsWith('data:')) return;
    const data = line.slice(5).trim();
    if (data === '') return;
    if (data === '[DONE]') {
      done = true;
      return;
    }
    let chunk: unknown;
    try {
      chunk = JSON.parse(data);
    } catch {
      throw garbled('the stream holds a piece that is not JSON');
    }
    if (!isRecord(chunk)) return;
    if (chunk.error) throw errorObjectFault(chunk);
    if (chunk.usage !== undefined && chunk.usage !== null) usage = chunk.usage;
    const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!isRecord(choice)) return;
    heard = true;
    if (typeof choice.finish_reason === 'string') finish = choice.finish_reason;
    if (isRecord(choice.message)) whole = choice.message;
    if (isRecord(choice.delta)) addDelta(choice.delta);
  }

  function addDelta(delta: Record<string, unknown>): void {
    content.add(delta.content);
    thinking.add(delta.reasoning_content ?? delta.reasoning);
    if (Array.isArray(delta.reasoning_details)) delta.reasoning_details.forEach(addDetail);
    if (Array.isArray(delta.tool_calls)) delta.tool_calls.forEach(addCall);
  }

  function addCall(call: unknown): void {
    if (!isRecord(call)) return;
    const made = isRecord(call.function) ? call.function : {};
    const id = typeof call.id === 'string' ? call.id : '';
    // Without an index a new id opens a call, and what has none belongs to the last.
    lastKey = call.index ?? (id || lastKey);
    const open = calls.get(lastKey) ?? { id, name: '', args: [] };
    calls.set(lastKey, open);
    if (open.id === '') open.id = id;
    if (open.name === '' && typeof made.name === 'string') open.name = made.name;
    const args = made.arguments;
    if (typeof args === 'string') open.args.push(args);
    else if (isRecord(args)) open.args.push(JSON.stringify(args));
  }

  /** Pieces of one detail have one `index` (or `id`); their texts are joined, their other members kept. */
  function addDetail(detail: unknown, i: number): void {
    if (!isRecord(detail)) return;
    const key = detail.index ?? detail.id ?? i;
    const known = details.get(key);
    const { text, ...others } = detail;
    const before = known?.text as ReturnType<typeof pieces> | undefined;
    const joined = before ?? pieces();
    joined.add(text);
    details.set(key, { ...known, ...others, text: joined });
  }

  function message(): Record<string, unknown> {
    const streamed = {
      content: content.text(),
      ...(thinking.text() === null ? {} : { reasoning_content: thinking.text() }),
      ...(details.size === 0
        ? {}
        : {
            reasoning_details: [...details.values()].map(({ text, ...others }) => {
              const joined = (text as ReturnType<typeof pieces>).text();
              return joined === null ? others : { ...others, text: joined };
            }),
          }),
      ...(calls.size === 0
        ? {}
        : {
            tool_calls: [...calls.values()].map(({ id, name, args }) => ({
              id,
              type: 'function',
              function: { name, arguments: args.join('') },
            })),
          }),
    };
    return { ...streamed, ...substanceOf(whole) };
  }
}

type Call = { id: string; name: string; args: string[] };

/** What a whole message at the end of a stream says better than its pieces. */
function substanceOf(message: Record<string, unknown> | null): Record<string, unknown> {
  const entries = Object.entries(message ?? {});
  return Object.fromEntries(entries.filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value)));
}

/**
 * Joins the pieces of a text. Some endpoints (MiniMax's thinking) send all that was said so far each time: three or more
 * pieces, each of which goes on from the one before it, are such, and the last is the text. Null without any piece.
 */
function pieces(): { add(piece: unknown): void; text(): string | null } {
  const all: string[] = [];
  let growing = true;
  return {
    add(piece) {
      if (typeof piece !== 'string') return;
      if (piece === '') {
        if (all.length === 0) all.push('');
        return;
      }
      const last = all.at(-1) ?? '';
      growing &&= piece.length > last.length && piece.startsWith(last);
      all.push(piece);
    },
    text() {
      if (all.length === 0) return null;
      const last = all.at(-1)!;
      return growing && all.filter((piece) => piece !== '').length > 3 && last.length > 16
        ? last
        : all.join('');
    },
  };
}
