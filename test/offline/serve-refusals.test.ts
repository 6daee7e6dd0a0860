import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { served } from './served.ts';

/** What the served offline model says to requests that nobody should make. */

const { url, answered, get, post } = served();
const hello = { model: 'offline', messages: [{ role: 'user', content: 'Hello' }] };

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
    const { port } = new URL(url());
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

/** Sends a body of unknown length; the status. */
function inChunks(body: string): Promise<number> {
  return new Promise((done, fail) => {
    const request = httpRequest(`${url()}/chat/completions`, { method: 'POST' }, (response) => {
      response.resume();
      done(response.statusCode ?? 0);
    });
    request.on('error', fail);
    for (let at = 0; at < body.length; at += 2 ** 20) request.write(body.slice(at, at + 2 ** 20));
    request.end();
  });
}
