import type { AssistantMessage, ChatRequest, Message, ToolCall, ToolSchema } from '../llm/llm.ts';
import { isRecord } from '../llm/reply.ts';

/** A request that is refused, in the terms of the OpenAI API's errors. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly status: number,
    message: string,
    /** The parameter at fault. */
    readonly param: string | null = null,
    readonly code: string | null = null,
  ) {
    super(message);
  }
}

/** What a client asks: the request as the offline model takes it, and how the answer travels. */
export type Asked = { request: ChatRequest; stream: boolean; includeUsage: boolean };

type Fields = { [key: string]: unknown };

/** Inclusive bounds of the API. */
const BOUNDS = {
  temperature: [0, 2],
  top_p: [0, 1],
  frequency_penalty: [-2, 2],
  presence_penalty: [-2, 2],
} as const;

/**
 * Reads the body of `POST /v1/chat/completions` as clients really send it: `max_completion_tokens` or `max_tokens`,
 * content as text or as a list of text parts, `developer` for `system`, null for what is left out. Fields that the
 * model does not know are ignored. Throws `Refusal`, whatever the body is. `models` are the names there are.
 */
export function readChatRequest(body: unknown, models: readonly string[]): Asked {
  if (!isRecord(body)) throw new Refusal(400, 'the body must be a JSON object');
  const { model, stream, stream_options: options } = body;
  if (typeof model !== 'string' || model === '') throw wrong('model', 'must be the name of a model');
  if (!models.includes(model)) throw unknownModel(model, models);
  if (!isLeftOut(stream) && typeof stream !== 'boolean') throw wrong('stream', 'must be true or false');
  const n = number(body, 'n', 1, Number.MAX_SAFE_INTEGER, true) ?? 1;
  if (n > 1) throw wrong('n', 'must be 1: this model gives one answer to a request');
  const request: ChatRequest = { model, messages: readMessages(body.messages) };
  const tools = offered(readTools(body.tools), body.tool_choice);
  if (tools.length > 0) request.tools = tools;
  for (const [name, [min, max]] of Object.entries(BOUNDS) as [keyof typeof BOUNDS, [number, number]][]) {
    const value = number(body, name, min, max, false);
    if (value !== undefined) request[name] = value;
  }
  const longest = ['max_completion_tokens', 'max_tokens'].map((name) =>
    number(body, name, 1, Number.MAX_SAFE_INTEGER, true),
  );
  const maxTokens = longest[0] ?? longest[1];
  if (maxTokens !== undefined) request.max_tokens = maxTokens;
  const seed = number(body, 'seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true);
  if (seed !== undefined) request.seed = seed;
  return {
    request,
    stream: stream === true,
    includeUsage: isRecord(options) && options.include_usage === true,
  };
}

/** The refusal of a model that is not there; names those that are. */
export function unknownModel(model: string, models: readonly string[]): Refusal {
  const message = `the model '${shown(model)}' does not exist; there is: ${models.join(', ')}`;
  return new Refusal(404, message, 'model', 'model_not_found');
}

function readMessages(messages: unknown): Message[] {
  if (!Array.isArray(messages)) throw wrong('messages', 'must be a list of messages');
  if (messages.length === 0) throw wrong('messages', 'must hold at least one message');
  return messages.map((message, i) => readMessage(message, `messages[${i}]`));
}

function readMessage(message: unknown, where: string): Message {
  if (!isRecord(message)) throw wrong(where, 'must be an object');
  const { role, content, tool_call_id: id } = message;
  if (role === 'assistant') return readAssistant(message, where);
  if (role === 'tool') {
    if (typeof id !== 'string') throw wrong(`${where}.tool_call_id`, 'must be a string');
    return { role, tool_call_id: id, content: readText(content, `${where}.content`) };
  }
  if (role !== 'system' && role !== 'developer' && role !== 'user') {
    throw wrong(`${where}.role`, 'must be one of system, developer, user, assistant, tool');
  }
  return { role: role === 'user' ? role : 'system', content: readText(content, `${where}.content`) };
}

function readAssistant(message: Fields, where: string): AssistantMessage {
  const { content, tool_calls: calls } = message;
  const read: AssistantMessage = {
    role: 'assistant',
    content: isLeftOut(content) ? null : readText(content, `${where}.content`),
  };
  if (isLeftOut(calls)) return read;
  if (!Array.isArray(calls)) throw wrong(`${where}.tool_calls`, 'must be a list of calls');
  if (calls.length > 0) {
    read.tool_calls = calls.map((call, i) => readCall(call, `${where}.tool_calls[${i}]`));
  }
  return read;
}

function readCall(call: unknown, where: string): ToolCall {
  const { id, type = 'function', function: called } = isRecord(call) ? call : {};
  if (typeof id !== 'string' || type !== 'function' || !isRecord(called)) {
    throw wrong(where, 'must be {id, type: "function", function: {name, arguments}}');
  }
  const { name, arguments: args } = called;
  if (typeof name !== 'string') throw wrong(`${where}.function.name`, 'must be a string');
  if (typeof args !== 'string') throw wrong(`${where}.function.arguments`, 'must be JSON in a string');
  return { id, type, function: { name, arguments: args } };
}

/** Text as it is, or the text of all parts; images, sound and files are beyond this model. */
function readText(content: unknown, where: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw wrong(where, 'must be a string or a list of text parts');
  return content
    .map((part, i) => {
      if (isRecord(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
      throw wrong(`${where}[${i}]`, 'must be {type: "text", text}: this model reads text only');
    })
    .join('');
}

function readTools(tools: unknown): ToolSchema[] {
  if (isLeftOut(tools)) return [];
  if (!Array.isArray(tools)) throw wrong('tools', 'must be a list of tools');
  return tools.map((tool, i) => {
    const { type, function: called } = isRecord(tool) ? tool : {};
    if (type !== 'function' || !isRecord(called) || typeof called.name !== 'string') {
      throw wrong(`tools[${i}]`, 'must be {type: "function", function: {name, description, parameters}}');
    }
    // The model knows tools by their names; what else is said of them is for others.
    return { type, function: { name: called.name, description: '', parameters: {} } };
  });
}

/** The tools that `tool_choice` leaves: `none` takes all away, a named function all others. */
function offered(tools: ToolSchema[], choice: unknown): ToolSchema[] {
  if (choice === 'none') return [];
  if (!isRecord(choice) || !isRecord(choice.function)) return tools;
  const { name } = choice.function;
  return tools.filter((tool) => tool.function.name === name);
}

function number(body: Fields, name: string, min: number, max: number, whole: boolean): number | undefined {
  const value = body[name];
  if (isLeftOut(value)) return undefined;
  const fits =
    typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value));
  if (fits) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw wrong(
    name,
    max === Number.MAX_SAFE_INTEGER
      ? `must be ${kind} of at least ${min}`
      : `must be ${kind} from ${min} to ${max}`,
  );
}

function wrong(param: string, problem: string): Refusal {
  return new Refusal(400, `${param} ${problem}`, param);
}

/** Clients send null for what they leave out. */
function isLeftOut(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function shown(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}
