import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChatRequest, Llm } from '../../src/llm/llm.ts';
import { withReplay } from '../../src/llm/replay.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
  file = join(dir, 'calls.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true }));

const request = (content: string): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content }] });

/** A model that counts its calls, so that a live reply differs from a kept one. */
function counting(): { llm: Llm; calls: () => number } {
  let calls = 0;
  const llm: Llm = async () => ({
    message: { role: 'assistant', content: `reply ${++calls}` },
    finish: 'stop',
    tokensIn: 3,
    tokensOut: 2,
  });
  return { llm, calls: () => calls };
}

/** The contents of the replies to these requests, asked one after the other. */
async function ask(llm: Llm, contents: string[]): Promise<(string | null)[]> {
  const replies: (string | null)[] = [];
  for (const content of contents) replies.push((await llm(request(content))).message.content);
  return replies;
}

describe('withReplay', () => {
  it('answers the same requests from the file, whole replies included', async () => {
    const first = await withReplay(counting().llm, file)(request('a'));
    const { llm, calls } = counting();
    expect(await withReplay(llm, file)(request('a'))).toEqual(first);
    expect(calls()).toBe(0);
  });

  it('goes on live after what is kept', async () => {
    await ask(withReplay(counting().llm, file), ['a', 'b']);
    const { llm, calls } = counting();
    expect(await ask(withReplay(llm, file), ['a', 'b', 'c'])).toEqual(['reply 1', 'reply 2', 'reply 1']);
    expect(calls()).toBe(1);
    expect(await ask(withReplay(llm, file), ['a', 'b', 'c'])).toEqual(['reply 1', 'reply 2', 'reply 1']);
    expect(calls()).toBe(1);
  });

  it('discards the rest at the first request that differs', async () => {
    await ask(withReplay(counting().llm, file), ['a', 'b', 'c']);
    const { llm, calls } = counting();
    expect(await ask(withReplay(llm, file), ['a', 'B', 'c'])).toEqual(['reply 1', 'reply 1', 'reply 2']);
    expect(calls()).toBe(2);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(3);
  });

  it.each([
    ['a torn last line', () => truncateSync(file, readFileSync(file).length - 5)],
    ['a last line that is no JSON', () => appendFileSync(file, '{"hash": garbage}\n')],
    ['half a line more', () => appendFileSync(file, '{"hash":"00')],
  ])('drops %s and leaves a whole file behind', async (_, damage) => {
    await ask(withReplay(counting().llm, file), ['a', 'b']);
    damage();
    const kept = readFileSync(file, 'utf8').includes(
      'reply 2"},"finish":"stop","tokensIn":3,"tokensOut":2}}\n',
    );
    const { llm, calls } = counting();
    await ask(withReplay(llm, file), ['a', 'b', 'c']);
    expect(calls()).toBe(kept ? 1 : 2);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => typeof JSON.parse(line).hash)).toEqual(['string', 'string', 'string']);
  });

  it('keeps no error, and asks again in its place', async () => {
    let down = true;
    const { llm } = counting();
    const replayed = withReplay(async (asked) => {
      if (down) throw new Error('down');
      return llm(asked);
    }, file);
    await expect(ask(replayed, ['a'])).rejects.toThrow('down');
    down = false;
    expect(await ask(replayed, ['a', 'b'])).toEqual(['reply 1', 'reply 2']);
    expect(await ask(withReplay(counting().llm, file), ['a', 'b'])).toEqual(['reply 1', 'reply 2']);
  });
});
