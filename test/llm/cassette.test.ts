import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type CassetteMode, openCassette } from '../../src/llm/cassette.ts';
import { type ChatRequest, type Llm, LlmError } from '../../src/llm/llm.ts';
import { protect } from '../../src/secrets.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'evolve-test-'));
  file = join(dir, 'tape.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true }));

const request = (content: string): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content }] });

/** A model that numbers its replies, in the order in which it is asked. */
function counting(): { llm: Llm; calls: () => number } {
  let calls = 0;
  const llm: Llm = async ({ messages }) => ({
    message: { role: 'assistant', content: `${messages.at(-1)?.content} ${++calls}` },
    finish: 'stop',
    tokensIn: 3,
    tokensOut: 2,
    usd: 0.5,
  });
  return { llm, calls: () => calls };
}

const never: Llm = () => {
  throw new Error('the model was asked');
};

/** The replies to these requests, asked one after the other of a cassette that is opened for it. */
async function ask(mode: CassetteMode, llm: Llm, contents: string[]): Promise<(string | null)[]> {
  const cassette = openCassette(file, mode);
  const wrapped = cassette.wrap(llm);
  try {
    const replies: (string | null)[] = [];
    for (const content of contents) replies.push((await wrapped(request(content))).message.content);
    return replies;
  } finally {
    cassette.close();
  }
}

const lines = () => readFileSync(file, 'utf8').trimEnd().split('\n');

describe('record and replay', () => {
  it('gives each request its replies, k-th for k-th, in any order among requests', async () => {
    expect(await ask('record', counting().llm, ['a', 'b', 'a'])).toEqual(['a 1', 'b 2', 'a 3']);
    expect(await ask('replay', never, ['b', 'a', 'a'])).toEqual(['b 2', 'a 1', 'a 3']);
  });

  it('gives whole replies', async () => {
    const reply = {
      message: {
        role: 'assistant' as const,
        content: null,
        tool_calls: [
          { id: '1', type: 'function' as const, function: { name: 'f', arguments: '{"x":"ä\\n"}' } },
        ],
        reasoning_details: [{ text: '\u2028' }],
      },
      finish: 'tool_calls',
      tokensIn: 1,
      tokensOut: 2,
      unmetered: true as const,
    };
    const recording = openCassette(file, 'record');
    expect(await recording.wrap(async () => reply)(request('a'))).toEqual(reply);
    recording.close();
    const replay = openCassette(file, 'replay');
    expect(await replay.wrap(never)(request('a'))).toEqual(reply);
    replay.close();
  });

  it.each<[string, Partial<ChatRequest>]>([
    ['model', { model: 'other' }],
    ['temperature', { temperature: 0.5 }],
    ['seed', { seed: 1 }],
    ['max_tokens', { max_tokens: 9 }],
    ['messages', { messages: [...request('a').messages, ...request('b').messages] }],
    ['tools', { tools: [{ type: 'function', function: { name: 'f', description: '', parameters: {} } }] }],
  ])('a request that differs in %s is another', async (_, change) => {
    await ask('record', counting().llm, ['a']);
    const replay = openCassette(file, 'replay');
    await expect(replay.wrap(never)({ ...request('a'), ...change })).rejects.toMatchObject({
      fault: 'unseen',
    });
    replay.close();
  });

  it('one that says the same in another order is the same', async () => {
    await ask('record', counting().llm, ['a']);
    const replay = openCassette(file, 'replay');
    const turned = { messages: [{ content: 'a', role: 'user' as const }], model: 'm' };
    expect((await replay.wrap(never)(turned)).message.content).toBe('a 1');
    replay.close();
  });

  it('says what it does not hold, and when it is a further repetition', async () => {
    await ask('record', counting().llm, ['a']);
    const replay = openCassette(file, 'replay');
    const wrapped = replay.wrap(never);
    const error = await wrapped(request(`long ${'word '.repeat(500)}the end`)).catch((it) => it);
    expect(error).toBeInstanceOf(LlmError);
    expect(error.fault).toBe('unseen');
    expect(error.message).toContain(`cassette ${file} does not hold this request (m, 1 messages`);
    expect(error.message).toContain('the end"');
    expect(error.message.length).toBeLessThan(file.length + 200);
    expect(error.hint).not.toBe('');
    await wrapped(request('a'));
    await expect(wrapped(request('a'))).rejects.toThrow('more than 1 time ');
    replay.close();
  });

  it('appends to a cassette: the first recording comes first', async () => {
    await ask('record', counting().llm, ['a']);
    expect(await ask('record', counting().llm, ['a', 'b'])).toEqual(['a 1', 'b 2']);
    await ask('record', async (it) => ({ ...(await counting().llm(it)), finish: 'length' }), ['a']);
    expect(await ask('replay', never, ['a', 'a', 'a', 'b'])).toEqual(['a 1', 'a 1', 'a 1', 'b 2']);
    expect(
      lines()
        .slice(1)
        .map((line) => JSON.parse(line).n),
    ).toEqual([0, 1, 0, 2]);
  });

  it('has the reply in the file before it gives it', async () => {
    const recording = openCassette(file, 'record');
    const { message } = await recording.wrap(counting().llm)(request('a'));
    expect(lines().at(-1)).toContain(JSON.stringify(message));
    recording.close();
  });

  it.each(['busy', 'unavailable', 'bad-request', 'too-long', 'timeout', 'garbled', 'connection'] as const)(
    'keeps a call that was lost (%s), and loses it again in its place',
    async (fault) => {
      const recording = openCassette(file, 'record');
      const { llm } = counting();
      let calls = 0;
      const wrapped = recording.wrap(async (it) => {
        if (++calls === 2) throw new LlmError(fault, 'no (after 8 attempts)', { billed: true });
        return llm(it);
      });
      await wrapped(request('a'));
      await expect(wrapped(request('a'))).rejects.toMatchObject({ fault });
      await wrapped(request('a'));
      recording.close();

      const replay = openCassette(file, 'replay');
      const replayed = replay.wrap(never);
      expect((await replayed(request('a'))).message.content).toBe('a 1');
      const again = await replayed(request('a')).catch((error) => error);
      expect(again).toBeInstanceOf(LlmError);
      expect(again).toMatchObject({ fault, message: 'no (after 8 attempts)', fatal: false });
      expect((await replayed(request('a'))).message.content).toBe('a 2');
      replay.close();
      // For others who ask only for what is missing, it is missing.
      expect(await ask('memo', counting().llm, ['a', 'a', 'a'])).toEqual(['a 1', 'a 2', 'a 1']);
    },
  );

  it.each([
    ['what no call can escape', new LlmError('refused', 'no')],
    ['what was given up', new LlmError('unavailable', 'down', { gaveUp: true })],
    ['what nobody waits for', new LlmError('cancelled', 'gone')],
    ['errors of ours', new Error('ours')],
  ])('keeps not %s, nor does a memo keep any', async (_, error) => {
    const modes: [CassetteMode, Error][] = [
      ['record', error],
      ['memo', new LlmError('busy', 'later')],
    ];
    for (const [mode, thrown] of modes) {
      const cassette = openCassette(file, mode);
      const wrapped = cassette.wrap(() => Promise.reject(thrown));
      await expect(wrapped(request('a'))).rejects.toBe(thrown);
      cassette.close();
      expect(lines()).toHaveLength(1);
    }
  });

  it('holds no secret that an error repeats', async () => {
    process.env.CASSETTE_TOKEN = 'tape-0x9e8f7a6b';
    protect([]);
    delete process.env.CASSETTE_TOKEN;
    const recording = openCassette(file, 'record');
    const wrapped = recording.wrap(() => Promise.reject(new LlmError('bad-request', 'no tape-0x9e8f7a6b')));
    await expect(wrapped(request('a'))).rejects.toMatchObject({ fault: 'bad-request' });
    recording.close();
    expect(readFileSync(file, 'utf8')).toContain('no [CASSETTE_TOKEN]');
  });

  it('keeps the order in which equal requests were asked, whichever is answered first', async () => {
    const answers: ((text: string) => void)[] = [];
    const llm: Llm = () =>
      new Promise((resolve) =>
        answers.push((content) =>
          resolve({ message: { role: 'assistant', content }, finish: 'stop', tokensIn: 1, tokensOut: 1 }),
        ),
      );
    const recording = openCassette(file, 'record');
    const wrapped = recording.wrap(llm);
    const asked = [0, 1, 2].map(() => wrapped(request('a')));
    for (const i of [2, 0, 1]) {
      answers[i]?.(`answer ${i}`);
      await asked[i];
    }
    recording.close();
    const replay = openCassette(file, 'replay');
    const replayed = replay.wrap(never);
    const replies = await Promise.all([0, 1, 2].map(() => replayed(request('a'))));
    expect(replies.map(({ message }) => message.content)).toEqual(['answer 0', 'answer 1', 'answer 2']);
    replay.close();
  });

  it('takes no reply for a caller who has gone', async () => {
    await ask('record', counting().llm, ['a']);
    const replay = openCassette(file, 'replay');
    const wrapped = replay.wrap(never);
    await expect(wrapped(request('a'), AbortSignal.abort())).rejects.toMatchObject({ fault: 'cancelled' });
    expect((await wrapped(request('a'))).message.content).toBe('a 1');
    replay.close();
  });

  it('holds no secret that a model repeats', async () => {
    process.env.CASSETTE_TOKEN = 'tape-0x5e6f7a8b';
    protect([]);
    delete process.env.CASSETTE_TOKEN;
    const live = await ask('record', counting().llm, ['it is tape-0x5e6f7a8b']);
    expect(live).toEqual(['it is [CASSETTE_TOKEN] 1']);
    expect(readFileSync(file, 'utf8')).not.toContain('tape-0x5e6f7a8b');
    expect(await ask('replay', never, ['it is tape-0x5e6f7a8b'])).toEqual(live);
    await expect(ask('replay', never, ['or tape-0x5e6f7a8b'])).rejects.toThrow('"or [CASSETTE_TOKEN]"');
  });
});

describe('memo', () => {
  it('asks only for what it does not hold, repetitions included', async () => {
    expect(await ask('memo', counting().llm, ['a', 'b'])).toEqual(['a 1', 'b 2']);
    const { llm, calls } = counting();
    expect(await ask('memo', llm, ['a', 'a', 'c', 'b'])).toEqual(['a 1', 'a 1', 'c 2', 'b 2']);
    expect(calls()).toBe(2);
    expect(await ask('memo', never, ['a', 'a', 'b', 'c'])).toEqual(['a 1', 'a 1', 'b 2', 'c 2']);
  });

  it('shares what is on it among all that it wraps', async () => {
    await ask('memo', counting().llm, ['a', 'a']);
    const memo = openCassette(file, 'memo');
    const [agent, critic] = [memo.wrap(never), memo.wrap(never)];
    expect((await agent(request('a'))).message.content).toBe('a 1');
    expect((await critic(request('a'))).message.content).toBe('a 2');
    memo.close();
  });
});

describe('the file', () => {
  it.each<CassetteMode>(['record', 'memo'])(
    '%s drops a torn last line and goes on behind the rest',
    async (mode) => {
      await ask('record', counting().llm, ['a', 'b']);
      truncateSync(file, readFileSync(file).length - 5);
      await ask(mode, counting().llm, ['c']);
      expect(lines()).toHaveLength(3);
      expect(await ask('replay', never, ['a', 'c'])).toEqual(['a 1', 'c 1']);
      await expect(ask('replay', never, ['b'])).rejects.toMatchObject({ fault: 'unseen' });
    },
  );

  it('replay leaves out a torn last line and changes nothing', async () => {
    await ask('record', counting().llm, ['a', 'b']);
    truncateSync(file, readFileSync(file).length - 5);
    const before = readFileSync(file);
    expect(await ask('replay', never, ['a'])).toEqual(['a 1']);
    await expect(ask('replay', never, ['b'])).rejects.toMatchObject({ fault: 'unseen' });
    expect(readFileSync(file)).toEqual(before);
  });

  it.each(['', '{"casse', '{"cassette":1}'])('one that was only begun (%j) is begun anew', async (start) => {
    writeFileSync(file, start);
    expect(() => openCassette(file, 'replay')).toThrow(UserError);
    await ask('memo', counting().llm, ['a']);
    expect(await ask('replay', never, ['a'])).toEqual(['a 1']);
  });

  it.each([
    ['no JSON', '{"key": garbage}'],
    ['another record', '{"seq":1,"crc":"00"}'],
    ['no object', 'null'],
    ['a reply without a message', '{"key":"00","n":0,"reply":{"finish":"stop"}}'],
    ['a fault that ends a run', '{"key":"00","n":0,"fault":"refused","message":"no"}'],
    ['an empty line', ''],
  ])('refuses a line that is %s, by its number', async (_, line) => {
    await ask('record', counting().llm, ['a']);
    appendFileSync(file, `${line}\n`);
    for (const mode of ['record', 'replay', 'memo'] as const) {
      expect(() => openCassette(file, mode)).toThrow(/is damaged: line 3 /);
      expect(() => openCassette(file, mode)).toThrow(UserError);
    }
  });

  it.each([
    ['a text', 'Dear diary,\nand so on\n'],
    ['a text in one line', 'Dear diary'],
    ['a journal', '{"seq":1,"crc":"89abcdef","type":"x"}\n'],
    ['a list', '[1]\n'],
    ['a later version', '{"cassette":2}\n'],
  ])('refuses %s, and leaves it as it is', (_, text) => {
    writeFileSync(file, text);
    for (const mode of ['record', 'replay', 'memo'] as const) {
      expect(() => openCassette(file, mode)).toThrow(UserError);
    }
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('refuses what is missing, a folder, and a place that takes no file', () => {
    expect(() => openCassette(file, 'replay')).toThrow(/there is no cassette/);
    mkdirSync(join(dir, 'folder'));
    for (const mode of ['record', 'replay', 'memo'] as const) {
      expect(() => openCassette(join(dir, 'folder'), mode)).toThrow(UserError);
    }
    expect(() => openCassette(join(dir, 'none/tape'), 'record')).toThrow(/cannot be written/);
  });

  it('holds replies longer than it reads at once, of any characters', async () => {
    const texts = ['ä→'.repeat(300_000), 'short', '→'.repeat(1_100_000), `${'x'.repeat(1_048_000)}ä`, 'last'];
    const live = await ask('record', counting().llm, texts);
    expect(await ask('replay', never, texts.toReversed())).toEqual(live.toReversed());
  });

  it('is not used once it is closed', async () => {
    const recording = openCassette(file, 'record');
    const wrapped = recording.wrap(counting().llm);
    await wrapped(request('a'));
    recording.close();
    recording.close();
    await expect(wrapped(request('b'))).rejects.toThrow('closed');
  });
});
