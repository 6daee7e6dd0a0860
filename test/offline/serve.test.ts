import { connect } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ChatRequest, Message } from '../../src/llm/llm.ts';
import { complete, offlineLlm } from '../../src/offline/offline-llm.ts';
import { serveOffline } from '../../src/offline/serve.ts';
import { realRequests } from './conversations.ts';
import { served } from './served.ts';

const { url, get, post } = served();
let real: Awaited<ReturnType<typeof realRequests>>;

beforeAll(async () => {
  real = await realRequests();
});

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

  test('stay the same beside hundreds of others, each under its own sampling', async () => {
    const samplings = [
      { temperature: 0 },
      { temperature: 2 },
      { top_p: 0.05 },
      { frequency_penalty: 2 },
      { presence_penalty: 2 },
    ];
    // Penalties need something that was said before, and can be said again.
    const requests = real.agent
      .map(repeated)
      .flatMap((request) =>
        samplings.flatMap((sampling, i) =>
          [0, 1, 2].map((seed) => ({ ...request, ...sampling, seed: 10 * i + seed })),
        ),
      );
    const replies = await Promise.all(requests.map(async (request) => (await post(request)).json()));
    expect(replies).toEqual(requests.map((request) => complete(request)));
    // Each of these settings matters to some answer.
    for (const name of ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty', 'seed'] as const) {
      const matters = requests.some(({ [name]: _, ...rest }, i) => {
        const said = (completion: ReturnType<typeof complete>) => completion.choices[0]?.message.content;
        return said(complete(rest as ChatRequest)) !== said(replies[i] as ReturnType<typeof complete>);
      });
      expect([name, matters]).toEqual([name, true]);
    }
  });

  test('are cut at the tokens allowed, also in the middle of arguments', async () => {
    const request = real.agent.find((one) => complete(one).usage.completion_tokens > 100)!;
    const expected = complete({ ...request, max_tokens: 32 });
    expect(expected.usage.completion_tokens).toBe(32);
    for (const name of ['max_tokens', 'max_completion_tokens']) {
      const { max_tokens: _, ...rest } = request;
      const body = { ...rest, [name]: 32 };
      expect(await (await post(body)).json()).toEqual(expected);
      expect(joined(await streamed(body)).message).toEqual(expected.choices[0]?.message);
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
  const port = Number(new URL(url()).port);
  await expect(serveOffline({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

/** The same request, as if what it would be answered had been said three times already, to no effect. */
function repeated(request: ChatRequest): ChatRequest {
  const { content } = complete(request).choices[0]!.message;
  const said: Message[] = [
    { role: 'assistant', content },
    { role: 'user', content: 'Call a tool.' },
  ];
  return { ...request, messages: [...request.messages, ...said, ...said, ...said] };
}

function text(content: string) {
  return { type: 'text', text: content };
}
