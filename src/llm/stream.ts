import { errorObjectFault } from './classify.ts';
import { garbled, isRecord, tooLong } from './reply.ts';

/** Puts a completion together from the pieces of a stream. */
type StreamReader = {
  /** The next stretch of text, cut anywhere. True once the stream has said that it is done. Throws `LlmError`. */
  feed(text: string): boolean;
  /** The completion as if it had not been streamed, at the end of the body. Throws `garbled` for a stream that was cut. */
  completion(): Record<string, unknown>;
};

/**
 * Reads server-sent events as endpoints really send them: comments, roles that are empty, tool calls without an index,
 * with their id in the first piece only, or all under one index, usage in a chunk of its own, or a whole message in the
 * last chunk. What is kept is bounded by `most` characters, and `garbled` beyond; what came may be far more, where each
 * piece repeats all text so far.
 */
export function readStream(most = Number.POSITIVE_INFINITY): StreamReader {
  let rest: string[] = [];
  let done = false;
  let finish: string | null = null;
  let usage: unknown;
  let whole: Record<string, unknown> | null = null;
  let heard = false;
  /** Characters of whole lines, and of the line that is coming in. */
  let kept = 0;
  let coming = 0;
  const content = pieces();
  const thinking = pieces();
  const details: Map<unknown, Record<string, unknown>> = new Map();
  const calls: Call[] = [];
  /** The call that a key was last used for. */
  const open = new Map<unknown, Call>();
  let lastKey: unknown;

  return {
    feed(text) {
      const newline = text.lastIndexOf('\n');
      if (newline < 0) {
        rest.push(text);
        coming += text.length;
        checkSize();
        return done;
      }
      const lines = (rest.join('') + text.slice(0, newline)).split('\n');
      rest = [text.slice(newline + 1)];
      coming = rest[0]!.length;
      for (const line of lines) take(line);
      checkSize();
      return done;
    },
    completion() {
      take(rest.join(''));
      rest = [];
      if (!heard || (!done && finish === null)) throw garbled('the stream ended before the reply did');
      return { choices: [{ finish_reason: finish, message: message() }], usage };
    },
  };

  function checkSize(): void {
    if (kept + coming > most) throw tooLong(most);
  }

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
    if (chunk.error) throw errorObjectFault(chunk, kept > 0);
    if (chunk.usage !== undefined && chunk.usage !== null) usage = chunk.usage;
    const choice = Array.isArray(chunk.choices) ? chunk.choices[0] : undefined;
    if (!isRecord(choice)) return;
    if (choice.error) throw errorObjectFault(choice, kept > 0);
    heard = true;
    if (typeof choice.finish_reason === 'string') finish = choice.finish_reason;
    if (isRecord(choice.message)) whole = choice.message;
    if (isRecord(choice.delta)) addDelta(choice.delta);
  }

  function addDelta(delta: Record<string, unknown>): void {
    kept += content.add(delta.content) + thinking.add(delta.reasoning_content ?? delta.reasoning);
    if (Array.isArray(delta.reasoning_details)) delta.reasoning_details.forEach(addDetail);
    if (Array.isArray(delta.tool_calls)) delta.tool_calls.forEach(addCall);
  }

  function addCall(call: unknown): void {
    if (!isRecord(call)) return;
    const made = isRecord(call.function) ? call.function : {};
    const id = typeof call.id === 'string' ? call.id : '';
    const name = typeof made.name === 'string' ? made.name : '';
    // Without an index a new id opens a call, and what has none belongs to the last.
    lastKey = call.index ?? (id || lastKey);
    let known = open.get(lastKey);
    // Some send all their calls under one index, others a new id with every piece: only a new call has a name, too.
    if (known === undefined || (id !== '' && id !== known.id && known.id !== '' && name !== '')) {
      known = { id, name, args: [] };
      open.set(lastKey, known);
      calls.push(known);
      kept += FRAME + id.length + name.length;
    }
    known.id ||= id;
    known.name ||= name;
    const args = isRecord(made.arguments) ? JSON.stringify(made.arguments) : made.arguments;
    if (typeof args !== 'string') return;
    known.args.push(args);
    kept += args.length;
  }

  /** Pieces of one detail have one `index` (or `id`); their texts are joined, their other members kept. */
  function addDetail(detail: unknown, i: number): void {
    if (!isRecord(detail)) return;
    const key = detail.index ?? detail.id ?? i;
    const known = details.get(key);
    const { text, ...others } = detail;
    const before = known?.text as Pieces | undefined;
    const joined = before ?? pieces();
    kept += joined.add(text) + (known ? 0 : FRAME + JSON.stringify(others).length);
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
              const joined = (text as Pieces).text();
              return joined === null ? others : { ...others, text: joined };
            }),
          }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(({ id, name, args }) => ({
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

/** What a call or a detail takes beside its texts, in characters. */
const FRAME = 50;

/** So often must a text have grown by whole repetitions, and be longer than this, to be taken for one that does. */
const GROWN = 3;
const LONGER = 16;

/** Joins the pieces of a text. `add` returns by how many characters what is kept has grown. Null without any piece. */
type Pieces = { add(piece: unknown): number; text(): string | null };

/**
 * Some endpoints (MiniMax's thinking) send all that was said so far each time: pieces of which each goes on from the one
 * before it are such, and the last is the text. As long as they do, only the last is kept, and the lengths of the others:
 * should one come that does not, all were mere pieces. Once they have grown often enough, one may come twice.
 */
function pieces(): Pieces {
  let heard = false;
  let last = '';
  /** Of the pieces so far, as long as each goes on from the one before it; `all` from then on. */
  let lengths: number[] = [];
  let grown = 0;
  let all: string[] | null = null;

  const each = () => all ?? lengths.map((length) => last.slice(0, length));
  return {
    add(piece) {
      if (typeof piece !== 'string') return 0;
      heard = true;
      if (piece === '') return 0;
      if (all !== null) {
        all.push(piece);
        return piece.length;
      }
      if (piece.startsWith(last) && (piece.length > last.length || grown >= GROWN)) {
        if (lengths.length > 0 && piece.length > last.length) grown++;
        const more = piece.length - last.length;
        lengths.push(piece.length);
        last = piece;
        return more;
      }
      all = [...each(), piece];
      const sum = lengths.reduce((total, length) => total + length, 0);
      lengths = [];
      return sum - last.length + piece.length;
    },
    text() {
      if (!heard) return null;
      return all === null && grown >= GROWN && last.length > LONGER ? last : each().join('');
    },
  };
}
