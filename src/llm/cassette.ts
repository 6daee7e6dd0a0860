import { closeSync, fdatasyncSync } from 'node:fs';
import { hashJson } from '../json.ts';
import { appendLine } from '../lines.ts';
import { redact, redactDeep } from '../secrets.ts';
import { isLost, type Lost, openTape, replyAt } from './cassette-file.ts';
import { type ChatReply, type ChatRequest, cancelled, type Llm, LlmError } from './llm.ts';

/**
 * Replies of a model in a file of JSON lines: a header, then `{key, n, reply}`, where `key` is the hash of the whole
 * request, and of who asks where that is told, and `n` counts the times it was asked, from 0. Two samples of one prompt
 * stay two. Requests and keys of endpoints are not in it. Where a call was lost, after all attempts, the line is
 * `{key, n, fault, message}`.
 */
type Cassette = {
  /**
   * The model with this cassette in front of it; several share what is on it. Equal requests of askers with names of
   * their own are kept apart: which of them comes first is chance, where they work side by side.
   */
  wrap(llm: Llm, asker?: string): Llm;
  /** When all calls are done: brings what was appended to the disk and lets go of the file. */
  close(): void;
};

/**
 * - `record`: always asks, and appends each reply before it is given back, and each fault that a run outlives
 * - `replay`: never asks; the k-th time a request comes it gets the k-th reply, or fault, and what is not there rejects as
 *   `unseen`
 * - `memo`: gives the replies that are there, k-th for k-th, asks for what is not, and appends that; faults are passed over
 */
export type CassetteMode = 'record' | 'replay' | 'memo';

/**
 * Opens the cassette `file`; `record` and `memo` make it where there is none, and go on where there is one. Equal
 * requests take their replies in the order in which they were asked, also when many are under way. Only keys and places
 * are held in memory, replies are read when they are asked for.
 * Throws a `UserError` for a file that is no cassette, is damaged (other than by a torn last line, which is dropped),
 * cannot be opened, or, in `replay`, is missing. One process at a time writes. What was appended survives the death of
 * this process, and after `close` that of the machine; a failed write rejects the call with the system's own error.
 */
export function openCassette(file: string, mode: CassetteMode): Cassette {
  const tape = openTape(file, mode === 'replay');
  const { fd, taped } = tape;
  /** The length of the whole lines. */
  let { bytes } = tape;
  /** How often each request has come since the file was opened. */
  const asked = new Map<string, number>();
  const appended = new Map<string, number>();
  let open = true;

  const append = (key: string, n: number, ended: { reply: ChatReply } | Lost) => {
    if (!open) throw new Error(`a reply came after the cassette ${file} was closed`);
    const line = Buffer.from(`${JSON.stringify({ key, n, ...ended })}\n`);
    appendLine(fd, line, bytes, file);
    bytes += line.length;
  };

  const wrap = (llm: Llm, asker?: string): Llm => {
    return async (request, signal) => {
      if (!open) throw new Error(`the cassette ${file} is closed`);
      if (signal?.aborted) throw cancelled('before the model was asked');
      const key = hashJson(asker === undefined ? request : [asker, request], 32);
      const all = taped.get(key) ?? [];
      const kept = mode === 'memo' ? all.filter(({ lost }) => !lost) : all;
      const turn = asked.get(key) ?? 0;
      asked.set(key, turn + 1);
      const place = kept[turn];
      if (place !== undefined && mode !== 'record') return replyAt(fd, place);
      if (mode === 'replay') throw unseen(file, request, kept.length);
      // The place in the row is taken before the answer comes, which may be after that of a later asker.
      const n = appended.get(key) ?? (all.at(-1)?.n ?? -1) + 1;
      appended.set(key, n + 1);
      const reply = await llm(request, signal).catch((error: unknown) => {
        const lost = mode === 'record' && open && error instanceof LlmError && !error.fatal;
        if (lost && isLost(error.fault)) {
          append(key, n, { fault: error.fault, message: redact(error.message) });
        }
        throw error;
      });
      const clean = redactDeep(reply);
      append(key, n, { reply: clean });
      return clean;
    };
  };

  return {
    wrap,
    close() {
      if (!open) return;
      open = false;
      try {
        if (mode !== 'replay') fdatasyncSync(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}

function unseen(file: string, request: ChatRequest, times: number): LlmError {
  const { model, messages } = request;
  const last = messages.findLast((message) => message.role === 'user')?.content ?? '';
  const words = redact(last.replace(/\s+/g, ' ').trim());
  const shown = words.length > 80 ? `…${words.slice(-80)}` : words;
  const what = `${model}, ${messages.length} messages, the last of the user: "${shown}"`;
  const more = times === 0 ? 'this request' : `this request more than ${times} time${times > 1 ? 's' : ''}`;
  return new LlmError('unseen', `cassette ${file} does not hold ${more} (${what})`, {
    hint: 'Replay with the options, files and version that the cassette was recorded with, or record it anew.',
  });
}
