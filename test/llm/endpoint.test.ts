import { afterEach, describe, expect, it, vi } from 'vitest';
import { retryAfterMs } from '../../src/llm/classify.ts';
import { type ChatRequest, LlmError } from '../../src/llm/llm.ts';
import { type Endpoint, openaiLlm } from '../../src/llm/openai.ts';
import { profileOf } from '../../src/llm/profiles.ts';
import { replyOf } from '../../src/llm/reply.ts';
import { readStream } from '../../src/llm/stream.ts';
import { mostOf, wireBody } from '../../src/llm/wire.ts';
import { FAULTS, type FaultServer, fixedAnswer, startFaultServer } from './fault-server.ts';
import { whileItHangs } from './while-it-hangs.ts';

/** Of no known form: it must be found by value. */
const KEY = 'canary.0123456789abcdef';
const REQUEST: ChatRequest = {
  model: 'small',
  messages: [{ role: 'user', content: 'Hi ✓' }],
  max_tokens: 64,
};

let server: FaultServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function endpoint(baseURL: string, more: Partial<Endpoint> = {}) {
  return openaiLlm({ baseURL, apiKey: KEY, profile: profileOf('*'), ...more });
}

/** What a call came to: its reply, or its error. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  return call.catch((error: unknown) => error);
}

const modes = [false, true].flatMap((stream) =>
  FAULTS.filter(({ only }) => only !== (stream ? 'plain' : 'stream')).map((fault) => ({ ...fault, stream })),
);

it('knows at least forty kinds of fault, each by one name', () => {
  expect(new Set(FAULTS.map(({ kind }) => kind)).size).toBe(FAULTS.length);
  expect(FAULTS.length).toBeGreaterThanOrEqual(40);
});

describe('one attempt', () => {
  it.each(modes)('$kind, streamed: $stream', async ({ kind, fault, orFault, billed, ends, stream }) => {
    server = await startFaultServer({ plan: () => kind });
    const ask = endpoint(server.urlFor(kind), {
      stream,
      idleMs: ends === 'idle' ? 80 : 60_000,
      totalMs: ends === 'total' ? 160 : 120_000,
    });
    const call = () => outcomeOf(ask(REQUEST));
    const outcome = await (ends ? whileItHangs(call, () => server!.billed().length > 0, 200) : call());
    const most = mostOf(REQUEST, profileOf('*'), stream);
    const usage = { tokensIn: 11, tokensOut: 3 };
    const bill = server.billed()[0] ?? { tokensIn: 0, tokensOut: 0 };
    if (fault === 'reply') {
      expect(outcome).toMatchObject(billed === 'usage' ? usage : { ...most, unmetered: true });
      expect(bill).toMatchObject(outcome instanceof Error ? {} : tokensOf(outcome));
    } else {
      expect(outcome).toBeInstanceOf(LlmError);
      const error = outcome as LlmError;
      expect([fault, orFault]).toContain(error.fault);
      expect(error.billed).toBe(billed !== 'no');
      expect(error.message).not.toContain(KEY);
      expect(error.message.length).toBeLessThan(360);
      expect(error.message).not.toMatch(/[\n<>]/);
      expect(bill).toMatchObject(error.billed ? most : { tokensIn: 0, tokensOut: 0 });
      if (error.fault === 'refused') expect(error.hint).not.toBe('');
    }
    expect(server.requests().length).toBeLessThanOrEqual(1);
  });
});

function tokensOf(reply: unknown): { tokensIn: number; tokensOut: number } {
  const { tokensIn, tokensOut } = reply as { tokensIn: number; tokensOut: number };
  return { tokensIn, tokensOut };
}

describe('what is sent', () => {
  const history: ChatRequest = {
    model: 'MiniMax-M2.7',
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: '<think>hm</think>\n\nI look.',
        reasoning_content: 'hm',
        reasoning_details: [{ text: 'hm' }],
        tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'a', content: 'a.py' },
    ],
    temperature: 0,
    top_p: 1,
    frequency_penalty: 0.5,
    presence_penalty: 0.5,
    max_tokens: 300,
    seed: 7,
  };

  it.each([false, true])('is the wire form, byte for byte (streamed: %s)', async (stream) => {
    server = await startFaultServer();
    const profile = profileOf('MiniMax-M2.7');
    await openaiLlm({ baseURL: server.url, apiKey: KEY, profile, stream })(history);
    expect(server.requests()[0]).toEqual(wireBody(history, profile, stream));
    expect(JSON.stringify(server.requests()[0]).length).toBe(
      JSON.stringify(wireBody(history, profile, stream)).length,
    );
  });

  it('is narrowed to what the endpoint takes, with thinking sent back whole', () => {
    const body = wireBody(history, profileOf('MiniMax-M2.7'), true);
    expect(body).toMatchObject({
      temperature: 0.01,
      max_completion_tokens: 300,
      reasoning_split: true,
      stream_options: { include_usage: true },
    });
    for (const name of ['frequency_penalty', 'presence_penalty', 'max_tokens', 'seed']) {
      expect(body).not.toHaveProperty(name);
    }
    const sent = body.messages as unknown[];
    expect(sent[1]).toMatchObject({
      content: '<think>hm</think>\n\nI look.',
      reasoning_details: [{ text: 'hm' }],
    });
    expect(sent[1]).not.toHaveProperty('reasoning_content');
  });

  it('has no thinking where it is to be stripped', () => {
    const sent = wireBody(history, profileOf('some-local-model'), false).messages as unknown[];
    expect(sent[1]).toEqual({
      role: 'assistant',
      content: 'I look.',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
    });
  });

  it('has thinking in its own field where it came so and is to be sent back', () => {
    const messages = history.messages.map((message) => {
      if (message.role !== 'assistant') return message;
      const { reasoning_details: _, ...others } = message;
      return { ...others, content: null };
    });
    const profile = { ...profileOf('kimi-k2-thinking'), thinking: 'send-back' as const };
    const body = wireBody({ ...history, messages }, profile, false);
    expect((body.messages as unknown[])[1]).toEqual(messages[1]);
    const most = mostOf({ ...history, messages }, profile, false);
    expect(most.tokensIn).toBe(Buffer.byteLength(JSON.stringify(body)));
  });

  it('is the request itself where there is no profile', () => {
    expect(wireBody(history, undefined, false)).toEqual({ ...history, stream: false });
  });

  it('reserves the bytes that are sent and the bound of the reply', () => {
    const most = mostOf(REQUEST, profileOf('*'), false);
    const text = JSON.stringify(wireBody(REQUEST, profileOf('*'), false));
    // The tick is three bytes and one character.
    expect(most).toEqual({ tokensIn: text.length + 2, tokensOut: 64 });
    const { max_tokens: _, ...unbounded } = REQUEST;
    expect(mostOf(unbounded, profileOf('*'), false).tokensOut).toBe(8192);
  });
});

describe('replies', () => {
  it.each([false, true])('keep tool calls, thinking and cached tokens (streamed: %s)', async (stream) => {
    const call = { id: 'x1', type: 'function', function: { name: 'run', arguments: '{"cmd":"ls"}' } };
    const message = {
      role: 'assistant',
      content: 'I run.',
      tool_calls: [call, { ...call, id: 'x2' }],
      reasoning_content: 'Let me think.',
      reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'Let me think.' }],
    };
    const usage = { ...fixedAnswer().usage, prompt_tokens_details: { cached_tokens: 4 } };
    const choices = [{ index: 0, message, finish_reason: 'tool_calls' }];
    server = await startFaultServer({ answer: () => ({ choices, usage }) });
    expect(await endpoint(server.url, { stream })(REQUEST)).toEqual({
      message,
      finish: 'tool_calls',
      tokensIn: 11,
      tokensOut: 3,
      tokensCached: 4,
    });
  });

  it('are put together from pieces as endpoints really send them', () => {
    const reader = readStream();
    const events = [
      { role: '', content: null, reasoning: 'First' },
      { tool_calls: [{ id: 'a', function: { name: 'run', arguments: '{"a"' } }], reasoning: ' this' },
      { tool_calls: [{ function: { arguments: ':1}' } }] },
      { tool_calls: [{ id: 'b', function: { name: 'look', arguments: '' } }] },
    ].map((delta) => `event: message\r\ndata: ${JSON.stringify({ choices: [{ delta }] })}\r\n\r\n`);
    const text = `: hi\r\n\r\n${events.join('')}data: {"choices":[],"usage":null}\n\ndata:[DONE]\n\n`;
    // Cut anywhere, also within a line.
    for (let i = 0; i < text.length; i += 7) reader.feed(text.slice(i, i + 7));
    const reply = replyOf(reader.completion(), () => ({ tokensIn: 9, tokensOut: 9 }));
    expect(reply).toEqual({
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'run', arguments: '{"a":1}' } },
          { id: 'b', type: 'function', function: { name: 'look', arguments: '' } },
        ],
        reasoning_content: 'First this',
      },
      finish: 'stop',
      tokensIn: 9,
      tokensOut: 9,
      unmetered: true,
    });
  });

  it('are read from streams that send all that was said so far each time', () => {
    const reader = readStream();
    const said = ['I', 'I think', 'I think, so', 'I think, so I am here'];
    for (const text of said) {
      const delta = { content: text, reasoning_details: [{ text }] };
      reader.feed(`data: ${JSON.stringify({ choices: [{ delta }] })}\n`);
    }
    reader.feed('data: [DONE]\n');
    expect(replyOf(reader.completion(), () => ({ tokensIn: 0, tokensOut: 0 })).message).toEqual({
      role: 'assistant',
      content: said[3],
      reasoning_details: [{ text: said[3] }],
    });
  });
});

describe('streams', () => {
  /** What comes of a stream of these deltas. */
  const messageOf = (deltas: object[], most?: number) => {
    const reader = readStream(most);
    for (const delta of deltas) reader.feed(`data: ${JSON.stringify({ choices: [{ delta }] })}\n`);
    reader.feed('data: [DONE]\n');
    return replyOf(reader.completion(), () => ({ tokensIn: 0, tokensOut: 0 })).message;
  };
  const growing = (count: number) => Array.from({ length: count }, (_, i) => 'I think so. '.repeat(i + 1));

  it('that repeat all so far may send one piece twice', () => {
    const said = growing(6).flatMap((text, i) => (i < 3 ? [text] : [text, text]));
    expect(messageOf(said.map((content) => ({ content }))).content).toBe('I think so. '.repeat(6));
  });

  it.each([
    ['two pieces alike at the start', ['ha', 'ha', 'ha', 'haha', 'hahahahahahahahahaha']],
    [
      'a piece that does not go on',
      ['a', 'a long ', 'a long and longer ', 'a long and longer one ', 'x', 'y'],
    ],
    ['short ones', ['-', '--', '---', '----', '----']],
    ['too few to tell', ['no ', 'no no no ', 'no no no no no no no ']],
  ])('of pieces that only look like it are joined: %s', (_, said) => {
    expect(messageOf(said.map((content) => ({ content }))).content).toBe(said.join(''));
  });

  it('are bounded by what is kept, not by what came', () => {
    const said = growing(200);
    expect(said.join('').length).toBeGreaterThan(100_000);
    const deltas = said.map((text) => ({ reasoning_details: [{ index: 0, text }] }));
    const [detail] = messageOf([...deltas, { content: 'Yes.' }], 10_000).reasoning_details as object[];
    expect(detail).toEqual({ index: 0, text: said.at(-1) });
  });

  it.each([
    ['a text', (text: string) => ({ content: text })],
    ['arguments', (text: string) => ({ tool_calls: [{ index: 0, id: 'a', function: { arguments: text } }] })],
    [
      'calls',
      (_: string, i: number) => ({ tool_calls: [{ index: i, id: `${i}`, function: { name: 'x' } }] }),
    ],
    ['details', (_: string, i: number) => ({ reasoning_details: [{ index: i, data: 'x'.repeat(90) }] })],
    ['a text that grows, and then does not', (_: string, i: number) => ({ content: growing(15)[i] ?? 'no' })],
  ])('are cut off where too much is to be kept: %s', (_, delta) => {
    const deltas = Array.from({ length: 100 }, (_, i) => delta(`${i} of some hundred pieces`, i));
    expect(() => messageOf(deltas, 1200)).toThrow('longer than 1200 characters');
  });

  it('are cut off in a line that does not end', () => {
    expect(() => readStream(1200).feed(`data: ${'x'.repeat(2000)}`)).toThrow('longer than');
  });

  it('with all calls under one index keep them apart, and those with an id a piece together', () => {
    const call = (id: string, name: string | null, args: string) => ({
      tool_calls: [{ index: 0, id, function: { name, arguments: args } }],
    });
    const named = (deltas: object[]) =>
      messageOf(deltas).tool_calls?.map(({ id, function: made }) => [id, made.name, made.arguments]);
    expect(named([call('a', 'read', '{"p":1}'), call('b', 'list', '{'), call('', null, '}')])).toEqual([
      ['a', 'read', '{"p":1}'],
      ['b', 'list', '{}'],
    ]);
    expect(named([call('a', 'read', ''), call('b', null, '{"p"'), call('c', null, ':1}')])).toEqual([
      ['a', 'read', '{"p":1}'],
    ]);
  });
});

it.each([
  [{ prompt_tokens: 37, completion_tokens: 10, total_tokens: 800 }, 763],
  [{ prompt_tokens: 37, completion_tokens: 10, total_tokens: 47 }, 10],
  [{ prompt_tokens: 37, completion_tokens: 10, total_tokens: 0 }, 10],
  [{ prompt_tokens: 37, completion_tokens: 10, total_tokens: '800' }, 10],
])('tokens that stand in the total alone are counted: %o', (usage, tokensOut) => {
  const choices = [{ message: { role: 'assistant', content: 'x' }, finish_reason: 'stop' }];
  const reply = replyOf({ choices, usage }, () => ({ tokensIn: 0, tokensOut: 0 }));
  expect(reply).toMatchObject({ tokensIn: 37, tokensOut });
});

it.each([false, true])('calls one after the other share a connection (streamed: %s)', async (stream) => {
  server = await startFaultServer();
  const ask = endpoint(server.url, { stream });
  for (let i = 0; i < 12; i++) await ask(REQUEST);
  // The first is not always free again in time for the second call.
  expect(server.connections()).toBeLessThanOrEqual(2);
});

describe('time and cancelling', () => {
  it.each([
    ['429-seconds', 2000],
    ['429-milliseconds', 40],
    ['429-absurd', 31_536_000_000],
    ['429-negative', null],
    ['429', null],
  ])('%s asks to wait %s ms', async (kind, ms) => {
    server = await startFaultServer({ plan: () => kind });
    const error = await outcomeOf(endpoint(server.url)(REQUEST));
    expect(error).toMatchObject({ retryAfterMs: ms });
  });

  it('reads dates against the clock', () => {
    const headers = new Headers({ 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' });
    const now = Date.UTC(2026, 9, 21, 7, 28, 0);
    expect(retryAfterMs(headers, now)).toBe(30_000);
    expect(retryAfterMs(headers, now + 60_000)).toBe(0);
  });

  it('a signal ends the call at once; what was sent may have been charged', async () => {
    server = await startFaultServer({ plan: () => 'silence' });
    const control = new AbortController();
    const call = outcomeOf(endpoint(server.url)(REQUEST, control.signal));
    await vi.waitFor(() => expect(server!.requests()).toHaveLength(1), 30_000);
    control.abort();
    expect(await call).toMatchObject({ fault: 'cancelled', billed: true });
    const late = await outcomeOf(endpoint(server.url)(REQUEST, control.signal));
    expect(late).toMatchObject({ fault: 'cancelled', billed: false });
    expect(server.requests()).toHaveLength(1);
  });

  it('a signal ends also a call whose fetch does not listen', async () => {
    const control = new AbortController();
    const deaf = endpoint('http://nowhere.invalid/v1', { fetch: () => new Promise(() => {}) });
    const call = outcomeOf(deaf(REQUEST, control.signal));
    control.abort();
    expect(await call).toMatchObject({ fault: 'cancelled' });
  });

  it('silence before the first piece of a stream is silence', async () => {
    server = await startFaultServer({ plan: () => 'silence' });
    const ask = endpoint(server.url, { stream: true, idleMs: 50, totalMs: 30_000 });
    const error = (await outcomeOf(ask(REQUEST))) as LlmError;
    expect(error).toMatchObject({ fault: 'timeout', billed: true });
    expect(error.message).toContain('for 50 ms');
  });

  it('an error whose body never ends is known by its status', async () => {
    const body = new ReadableStream({
      start: (control) => control.enqueue(new TextEncoder().encode('wait')),
    });
    const ask = endpoint('http://nowhere.invalid/v1', {
      fetch: async () => new Response(body, { status: 503 }),
      idleMs: 30,
    });
    expect(await outcomeOf(ask(REQUEST))).toMatchObject({ fault: 'unavailable', billed: false });
  });
});

describe('bad settings', () => {
  it('a key leaves no error, nor the part of it before a cut', async () => {
    for (let before = 270; before < 300; before += 3) {
      const message = `${'x'.repeat(before)} ${KEY} and on`;
      const ask = endpoint('http://nowhere.invalid/v1', {
        fetch: async () => new Response(JSON.stringify({ error: { message } })),
      });
      const error = (await outcomeOf(ask(REQUEST))) as LlmError;
      expect(error.fault).toBe('garbled');
      expect(error.message).not.toContain(KEY.slice(0, 8));
      expect(String(error.stack)).not.toContain(KEY.slice(0, 8));
    }
  });

  it.each([
    ['no scheme', 'localhost:1/v1', KEY, 'bad-request'],
    ['a port that no program may call', 'http://127.0.0.1:1/v1', KEY, 'bad-request'],
    ['a key with a line break', 'http://127.0.0.1:1/v1', `${KEY}\nx`, 'refused'],
    ['a key beyond Latin-1', 'http://127.0.0.1:1/v1', `${KEY}✓`, 'refused'],
  ])('%s', async (_, baseURL, apiKey, fault) => {
    const error = (await outcomeOf(openaiLlm({ baseURL, apiKey })(REQUEST))) as LlmError;
    expect(error).toMatchObject({ fault, billed: false });
    expect(error.hint).not.toBe('');
    expect(`${error.message} ${error.hint}`).not.toContain(KEY);
  });
});
