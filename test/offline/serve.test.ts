import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/llm/llm.ts';
import { complete, offlineLlm } from '../../src/offline/offline-llm.ts';
import { type Answered, type ModelServer, serveOffline } from '../../src/offline/serve.ts';
import { realRequests } from './conversations.ts';

let server: ModelServer;
let real: Awaited<ReturnType<typeof realRequests>>;
const answered: Answered[] = [];

beforeAll(async () => {
  server = await serveOffline({ onRequest: (one) => answered.push(one) });
  real = await realRequests();
});
afterAll(() => server.close());

const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
const post = (body: unknown, headers: Record<string, string> = {}) =>
  get('/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const hello = { model: 'offline', messages: [{ role: 'user', content: 'Hello' }] };

type Chunk = {
  choices: { delta: Record<string, unknown>; finish_reason: string | null }[];
  usage?: unknown;
};

/** The chunks of a stream, and that it ended as it should. */
async function streamed(body: object): Promise<Chunk[]> {
  const response = await post({ ...body, stream: true });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const events = (await response.text()).split('\n\n');
  expect(events.splice(-2)).toEqual(['data: [DONE]', '']);
  return events.map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);
}

/** The message that a stream makes. */
function joined(chunks: Chunk[]) {
  const message = { role: '', content: '', tool_calls: [] as { function: { arguments: string } }[] };
  let reason: string | null = null;
  for (const { choices } of chunks) {
    const [choice] = choices;
    if (!choice) continue;
    const { role, content, tool_calls: calls } = choice.delta as Partial<typeof message>;
    message.role += role ?? '';
    message.content += content ?? '';
    for (const { index, ...call } of (calls ?? []) as ((typeof message.tool_calls)[0] & {
      index: number;
    })[]) {
      const known = message.tool_calls[index];
      if (known) known.function.arguments += call.function.arguments;
      else message.tool_calls[index] = call;
    }
    reason = choice.finish_reason ?? reason;
  }
  const { tool_calls, ...rest } = message;
  return { message: tool_calls.length > 0 ? message : rest, reason };
}

describe('answers', () => {
  test('are those of the model in process, for agent, mutator and critic, streamed or not', async () => {
    const llm = offlineLlm();
    const requests = Object.values(real).flat();
    expect(requests.filter(({ tools }) => tools).length).toBeGreaterThan(5);
    const kinds = new Set<string>();
    for (const request of requests) {
      const expected = complete(request);
      const reply = await llm(request);
      const plain = (await (await post(request)).json()) as typeof expected;
      expect(plain).toEqual(expected);
      const [choice] = plain.choices;
      expect(choice?.message).toEqual(expect.objectContaining(reply.message));
      expect(plain.usage).toMatchObject({
        prompt_tokens: reply.tokensIn,
        completion_tokens: reply.tokensOut,
      });
      const chunks = await streamed({ ...request, stream_options: { include_usage: true } });
      expect(joined(chunks)).toEqual({ message: choice?.message, reason: choice?.finish_reason });
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: expected.usage });
      kinds.add(choice!.finish_reason);
    }
    expect([...kinds].sort()).toEqual(['stop', 'tool_calls']);
  });

  test('stay the same beside hundreds of others', async () => {
    const requests = Array.from({ length: 300 }, (_, i): ChatRequest => {
      const request = real.agent[i % real.agent.length]!;
      return { ...request, seed: i };
    });
    const replies = await Promise.all(requests.map(async (request) => (await post(request)).json()));
    expect(replies).toEqual(requests.map((request) => complete(request)));
  });

  test('are cut at the tokens allowed, also in the middle of arguments', async () => {
    const request = real.agent.find((one) => complete(one).usage.completion_tokens > 100)!;
    for (const name of ['max_tokens', 'max_completion_tokens']) {
      const { max_tokens: _, ...rest } = request;
      const body = { ...rest, [name]: 16 };
      const plain = (await (await post(body)).json()) as ReturnType<typeof complete>;
      expect(plain.choices[0]?.finish_reason).toBe('length');
      expect(plain.usage.completion_tokens).toBe(16);
      expect(joined(await streamed(body)).message).toEqual(plain.choices[0]?.message);
    }
  });

  test('are the same however a client words the request', async () => {
    const request = real.agent.at(-1)!;
    const expected = complete(request);
    const reworded = {
      ...request,
      n: 1,
      stream: null,
      stop: null,
      user: 'somebody',
      parallel_tool_calls: true,
      tool_choice: 'auto',
      messages: request.messages.map((message) => {
        if (message.role === 'system') return { ...message, role: 'developer', name: 'x' };
        if (message.role === 'assistant') return { refusal: null, audio: null, ...message };
        const half = Math.floor(message.content.length / 2);
        const [a, b] = [message.content.slice(0, half), message.content.slice(half)];
        return { ...message, content: [text(a), text(b)] };
      }),
    };
    const response = await post(reworded, { authorization: 'Basic whatever' });
    expect(await response.json()).toEqual(expected);
  });

  test('to a silent assistant and without tools are given too', async () => {
    const tools = real.agent[0]?.tools;
    const messages = [
      ...real.agent[0]!.messages,
      { role: 'assistant' },
      { role: 'assistant', content: null },
    ];
    const none = await post({ model: 'offline', messages, tools, tool_choice: 'none' });
    expect(await none.json()).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    const choice = { type: 'function', function: { name: 'read_file' } };
    const one = (await (await post({ model: 'offline', messages, tools, tool_choice: choice })).json()) as {
      choices: { message: { tool_calls: { function: { name: string } }[] } }[];
    };
    expect(one.choices[0]?.message.tool_calls.map((call) => call.function.name)).toEqual(['read_file']);
  });
});

test('a stream gives the role, the content in pieces, calls with index and id, the reason, then the usage', async () => {
  const request = real.agent.find((one) => complete(one).choices[0]!.finish_reason === 'tool_calls')!;
  const chunks = await streamed(request);
  const deltas = chunks.map(({ choices }) => choices[0]!.delta);
  expect(deltas[0]).toEqual({ role: 'assistant', content: '' });
  expect(deltas.filter(({ content }) => content).length).toBeGreaterThan(1);
  const calls = deltas.flatMap(({ tool_calls }) => (tool_calls ?? []) as Record<string, unknown>[]);
  expect(calls[0]).toMatchObject({ index: 0, id: expect.stringMatching(/^call_/), type: 'function' });
  expect(calls.slice(1).every(({ id, index }) => id === undefined && index === 0)).toBe(true);
  expect(calls.length).toBeGreaterThan(2);
  expect(chunks.map(({ choices }) => choices[0]!.finish_reason).filter((reason) => reason !== null)).toEqual([
    'tool_calls',
  ]);
  expect(deltas.at(-1)).toEqual({});
  expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false);
});

test('models are listed and looked up, with or without a query or a slash at the end', async () => {
  const model = { id: 'offline', object: 'model', created: 0, owned_by: 'evolve' };
  expect(await (await get('/models')).json()).toEqual({ object: 'list', data: [model] });
  expect(await (await get('/models/?limit=2')).json()).toEqual({ object: 'list', data: [model] });
  expect(await (await get('/models/offline')).json()).toEqual(model);
});

describe('a request is refused', () => {
  test.each([
    ['prose', 'Hello', 400, null, null],
    ['half of it', '{"model": "offline"', 400, null, null],
    ['nothing', '', 400, null, null],
    ['a list', [hello], 400, null, null],
    ['no model', { ...hello, model: undefined }, 400, 'model', null],
    ['an unknown model', { ...hello, model: 'gpt-9' }, 404, 'model', 'model_not_found'],
    ['no messages', { model: 'offline' }, 400, 'messages', null],
    ['empty messages', { ...hello, messages: [] }, 400, 'messages', null],
    [
      'messages in an object',
      { ...hello, messages: { 0: hello.messages[0], length: 1 } },
      400,
      'messages',
      null,
    ],
    ['two answers', { ...hello, n: 2 }, 400, 'n', null],
    ['too hot', { ...hello, temperature: 2.1 }, 400, 'temperature', null],
    ['below zero', { ...hello, temperature: -0.1 }, 400, 'temperature', null],
    ['heat in words', { ...hello, temperature: '1' }, 400, 'temperature', null],
    ['top_p', { ...hello, top_p: 1.01 }, 400, 'top_p', null],
    ['frequency_penalty', { ...hello, frequency_penalty: -3 }, 400, 'frequency_penalty', null],
    ['presence_penalty', { ...hello, presence_penalty: 3 }, 400, 'presence_penalty', null],
    ['no tokens', { ...hello, max_tokens: 0 }, 400, 'max_tokens', null],
    ['half a token', { ...hello, max_completion_tokens: 0.5 }, 400, 'max_completion_tokens', null],
    ['a seed in words', { ...hello, seed: 'one' }, 400, 'seed', null],
    ['stream in words', { ...hello, stream: 'yes' }, 400, 'stream', null],
  ])('%s', async (_, body, status, param, code) => {
    const response = await post(body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    expect(error).toEqual({ message: expect.any(String), type: 'invalid_request_error', param, code });
    if (code === 'model_not_found')
      expect(error.message).toMatch(/'gpt-9' does not exist; there is: offline/);
  });

  test.each([
    ['GET', '/nothing', 404, null],
    ['POST', '/../chat/completions', 404, null],
    ['GET', '/models/gpt-9', 404, null],
    ['GET', '/models/%zz', 404, null],
    ['GET', '/chat/completions', 405, 'POST'],
    ['DELETE', '/models/offline', 405, 'GET'],
    ['POST', '/models', 405, 'GET'],
  ])('%s %s', async (method, path, status, allow) => {
    const response = await get(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(answered.at(-1)).toMatchObject({ method, status });
  });

  test('a body beyond 16 MB, said beforehand or not; one just below is read', async () => {
    const body = (bytes: number) => {
      const [head, tail] = JSON.stringify({ ...hello, user: '#' }).split('#') as [string, string];
      return head + 'x'.repeat(bytes - head.length - tail.length) + tail;
    };
    const most = 16 * 2 ** 20;
    expect((await post(body(most))).status).toBe(200);
    expect((await post(body(most + 1))).status).toBe(413);
    expect(await inChunks(body(most + 1))).toBe(413);
  });
});

describe('hostile bodies', () => {
  const nest = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth);
  const withCall = (args: string) => ({
    ...hello,
    messages: [
      ...hello.messages,
      { role: 'user', content: '' },
      { role: 'assistant', tool_calls: [{ id: '1', function: { name: 'write_file', arguments: args } }] },
    ],
  });
  test.each([
    ['__proto__', `{"__proto__": ${JSON.stringify(hello)}}`],
    ['constructor', `{"constructor": {"prototype": ${JSON.stringify(hello)}}}`],
    ['a proto in a message', '{"model":"offline","messages":[{"__proto__":{"role":"user","content":"x"}}]}'],
    ['a model named __proto__', { ...hello, model: '__proto__' }],
    ['deep lists', nest(1_000_000)],
    ['deep content', `{"model":"offline","messages":[{"role":"user","content":${nest(1_000_000)}}]}`],
    ['deep objects', nest(300_000, '{"a":', '}').replace('{"a":}', '{"a":1}')],
    ['many messages of nothing', { ...hello, messages: Array(1_000_000).fill(null) }],
    [
      'content that is an image',
      { ...hello, messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
    ],
    ['arguments that are null', withCall('null')],
    ['arguments that fold to no text', withCall('{"path": {"toString": 1, "valueOf": 2}}')],
    ['deep arguments', withCall(`{"path": ${nest(100_000)}}`)],
  ])('%s', async (_, body) => {
    const response = await post(body);
    expect([400, 404]).toContain(response.status);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect((await post(hello)).status).toBe(200);
  });

  test('of every type everywhere are answered, never with a 5xx', async () => {
    const keys = ['model', 'messages', 'role', 'content', 'tool_calls', 'id', 'type', 'function', 'name'];
    const more = ['arguments', 'tools', 'tool_choice', 'n', 'stream', 'stream_options', 'seed', '__proto__'];
    const words = ['offline', 'user', 'assistant', 'tool', 'system', 'text', 'function', 'none'];
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'x', [], ...words),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom(...keys, ...more), tie('tree'), { maxKeys: 6 }),
      ),
    }));
    const message = fc.record({ role: fc.constantFrom(...words), content: tree, tool_calls: tree });
    const body = fc.record(
      {
        model: fc.constant('offline'),
        messages: fc.array(fc.oneof(message, tree)),
        tools: tree,
        stream: tree,
      },
      { requiredKeys: ['model', 'messages'] },
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(body, tree), async (sent) => {
        const response = await post(sent ?? 'null');
        expect([200, 400, 404]).toContain(response.status);
        await response.text();
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  test('and clients that go away do no harm', async () => {
    const { port } = new URL(server.url);
    for (const text of [
      'nonsense\r\n\r\n',
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{',
    ]) {
      await new Promise<void>((done) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.end(text));
        socket.on('error', () => {});
        socket.on('close', () => done());
        socket.resume();
      });
    }
    expect((await post(hello)).status).toBe(200);
  });
});

test('close ends open connections, and may be called again', async () => {
  const own = await serveOffline();
  const { port } = new URL(own.url);
  const socket = connect(Number(port), '127.0.0.1');
  await new Promise((done) => socket.on('connect', done));
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{');
  const closed = new Promise((done) =>
    socket
      .on('close', done)
      .on('error', () => {})
      .resume(),
  );
  await own.close();
  await own.close();
  await closed;
  await expect(fetch(`${own.url}/models`)).rejects.toThrow();
});

test('a port that is taken is refused', async () => {
  const port = Number(new URL(server.url).port);
  await expect(serveOffline({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

function text(content: string) {
  return { type: 'text', text: content };
}

/** Sends a body of unknown length; the status. */
function inChunks(body: string): Promise<number> {
  return new Promise((done, fail) => {
    const request = httpRequest(`${server.url}/chat/completions`, { method: 'POST' }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    request.on('error', fail);
    for (let at = 0; at < body.length; at += 2 ** 20) request.write(body.slice(at, at + 2 ** 20));
    request.end();
  });
}
