import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, stepCountIs, streamText, type ToolSet, tool } from 'ai';
import OpenAI from 'openai';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/llm/llm.ts';
import { complete } from '../../src/offline/offline-llm.ts';
import { DESCRIPTION, realRequests } from './conversations.ts';
import { served } from './served.ts';

type Streamed = Parameters<OpenAI['chat']['completions']['stream']>[0];

/** Clients that others wrote, against the served offline model. */

const { url, answered } = served();
let acting: ChatRequest;

beforeAll(async () => {
  const { agent } = await realRequests();
  acting = agent.find((request) => complete(request).choices[0]!.finish_reason === 'tool_calls')!;
});

describe('the AI SDK', () => {
  const model = () =>
    createOpenAICompatible({ name: 'offline', baseURL: url(), includeUsage: true }).chatModel('offline');
  const system = 'You are an agent in a small machine-learning competition.';
  const prompt = `# Task\n${DESCRIPTION}\n## Your folder (attempt 1)\n(empty)\n\n[turn 1 of 18, 16 jobs left, drafting: get a first valid submission]`;
  const schema = (...names: string[]) =>
    jsonSchema<Record<string, string>>({
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    });

  test('runs the tool loop by itself: it writes a whole program, trains and submits', async () => {
    const files = new Map<string, string>();
    const done: string[] = [];
    const status = () =>
      `\n[turn ${done.length + 1} of 18, 9 jobs left, improving: make the validation score better]`;
    const act = (name: string, text: (args: Record<string, string>) => string, ...names: string[]) =>
      tool({
        description: name,
        inputSchema: schema(...names),
        execute: async (args) => {
          done.push(name);
          return text(args) + status();
        },
      });
    const before = answered.length;
    const { steps, totalUsage } = await generateText({
      model: model(),
      system,
      prompt,
      temperature: 0,
      seed: 1,
      stopWhen: [stepCountIs(30), () => done.includes('submit')],
      tools: {
        read_file: act('read_file', () => 'id,x,price\n1,2,3', 'path'),
        write_file: act(
          'write_file',
          ({ path, content }) => {
            files.set(path!, content!);
            return `wrote ${path}`;
          },
          'path',
          'content',
        ),
        train: act('train', () => 'validation rmse: 1.5\nsubmission.csv is valid'),
        submit: act('submit', () => 'submitted'),
      },
    });
    expect([...files.keys()].sort()).toEqual([
      'features.mjs',
      'main.mjs',
      'model.mjs',
      'read.mjs',
      'target.mjs',
    ]);
    expect(files.get('main.mjs')).toContain('submission.csv');
    expect(done).toContain('train');
    expect(done.at(-1)).toBe('submit');
    expect(answered.slice(before)).toEqual(
      steps.map(() => ({ method: 'POST', path: '/v1/chat/completions', status: 200 })),
    );
    expect(totalUsage.outputTokens).toBeGreaterThan(100);
  });

  test('puts a stream together to the same text, calls and usage as without one', async () => {
    const asked = {
      model: model(),
      system,
      prompt,
      seed: 4,
      tools: {
        write_file: tool({ description: 'write', inputSchema: schema('path', 'content') }),
      } as ToolSet,
    };
    const plain = await generateText(asked);
    const stream = streamText(asked);
    let deltas = 0;
    for await (const _ of stream.textStream) deltas++;
    expect(deltas).toBeGreaterThan(1);
    expect(await stream.text).toBe(plain.text);
    const calls = (list: { toolName: string; input: unknown }[]) =>
      list.map(({ toolName, input }) => ({ toolName, input }));
    expect(plain.toolCalls).toHaveLength(1);
    expect(calls(await stream.toolCalls)).toEqual(calls(plain.toolCalls));
    expect(await stream.finishReason).toBe('tool-calls');
    const usage = await stream.usage;
    expect([usage.inputTokens, usage.outputTokens]).toEqual([
      plain.usage.inputTokens,
      plain.usage.outputTokens,
    ]);
    expect(usage.inputTokens).toBeGreaterThan(0);
  });

  test('shows the reason of a refusal', async () => {
    const unknown = createOpenAICompatible({ name: 'offline', baseURL: url() })('gpt-9');
    const call = generateText({ model: unknown, prompt: 'Hello', maxRetries: 0 });
    await expect(call).rejects.toMatchObject({
      statusCode: 404,
      message: "the model 'gpt-9' does not exist; there is: offline",
    });
  });
});

describe('the OpenAI SDK', () => {
  const client = () => new OpenAI({ baseURL: url(), apiKey: 'none', maxRetries: 0, logLevel: 'off' });

  test('lists the models', async () => {
    const names: string[] = [];
    for await (const { id } of client().models.list()) names.push(id);
    expect(names).toEqual(['offline']);
    expect(await client().models.retrieve('offline')).toMatchObject({ id: 'offline', object: 'model' });
  });

  test('puts a stream together to the completion that it is without one', async () => {
    const body = acting as OpenAI.ChatCompletionCreateParamsNonStreaming;
    const plain = await client().chat.completions.create(body);
    const streamed = { ...acting, stream_options: { include_usage: true } } as unknown as Streamed;
    const stream = client().chat.completions.stream(streamed);
    const joined = await stream.finalChatCompletion();
    expect(plain).toEqual(complete(acting));
    const [ours, theirs] = [plain, joined].map(({ choices }) => choices[0]!);
    expect(theirs?.message.content).toBe(ours?.message.content);
    expect(theirs?.message.tool_calls).toMatchObject(ours?.message.tool_calls ?? []);
    expect(theirs?.finish_reason).toBe('tool_calls');
    expect(joined.usage).toEqual(plain.usage);
  });

  test('throws its own kinds of error', async () => {
    const hello = { messages: [{ role: 'user' as const, content: 'Hello' }] };
    const { completions } = client().chat;
    await expect(completions.create({ ...hello, model: 'gpt-9' })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
    });
    await expect(completions.create({ ...hello, model: 'offline', temperature: 3 })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
  });
});
