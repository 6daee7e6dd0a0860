import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Fault } from '../../src/llm/llm.ts';
import type { Completion } from './fault-server.ts';

/** A completion request that came in, and the means to answer it. */
export type Received = {
  req: IncomingMessage;
  res: ServerResponse;
  body: { [key: string]: unknown };
  completion: Completion;
  /** Does something again and again until the connection closes. */
  every(ms: number, act: () => void): void;
};

/** One kind of fault: what a client must make of it, and what it may be charged. */
export type KnownFault = {
  kind: string;
  /** The class of the error, or `reply` for odd answers that are answers all the same. */
  fault: Fault | 'reply';
  /** Where chance decides between two classes: the other one. */
  orFault?: Fault;
  /** `usage`: what was delivered; `most`: the request's bytes and its reply bound; `no`: nothing. */
  billed: 'usage' | 'most' | 'no';
  /** Only where streams are asked for, or only where not; else both. */
  only?: 'stream' | 'plain';
  /** The time-out that must end it: kinds that hang. */
  ends?: 'idle' | 'total';
  send(received: Received): void;
};

/** Sends a completion as it should be, as JSON or in pieces. */
export function sendCompletion(
  { res, body }: Received,
  completion: Completion,
  type = body.stream ? 'text/event-stream' : 'application/json',
): void {
  if (!body.stream) {
    res.writeHead(200, { 'content-type': type });
    res.end(JSON.stringify(completion));
    return;
  }
  const { message, finish_reason } = completion.choices[0]!;
  const { content, tool_calls, ...others } = message;
  const text = String(content ?? '');
  const calls = (tool_calls ?? []) as { id: string; function: { name: string; arguments: string } }[];
  const events = [
    event({ ...others, content: '' }),
    ...(text === '' ? [] : halves(text).map((piece) => event({ content: piece }))),
    ...calls.flatMap((call, index) => {
      const [first, second] = halves(call.function.arguments);
      return [
        event({ tool_calls: [{ ...call, index, function: { ...call.function, arguments: first } }] }),
        event({ tool_calls: [{ index, function: { arguments: second } }] }),
      ];
    }),
    event({}, finish_reason),
    ...(body.stream_options ? [usageEvent(completion.usage)] : []),
    '[DONE]',
  ];
  sendEvents(res, events, type);
}

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

/** A piece of a stream. */
export function event(delta: Record<string, unknown>, finish: string | null = null): string {
  return JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
}

/** The piece of a stream that holds usage. */
export function usageEvent(usage: unknown): string {
  return JSON.stringify({ choices: [], usage });
}

/** Begins a 200. */
export function head(res: ServerResponse, body: { [key: string]: unknown }): ServerResponse {
  res.writeHead(200, { 'content-type': body.stream ? 'text/event-stream' : 'application/json' });
  return res;
}

/** A whole stream, with comments between the pieces. */
export function sendEvents(res: ServerResponse, events: string[], type = 'text/event-stream'): void {
  res.writeHead(200, { 'content-type': type });
  res.write(events.map((data) => `data: ${data}\n\n`).join(': and on\n\n'));
  // The end comes in a packet of its own, as from a real endpoint.
  setTimeout(() => res.end(), 3);
}

/** The completion with this message in its place. */
export function deliver(
  received: Received,
  { finish_reason = 'stop', ...message }: { finish_reason?: string; content?: unknown; tool_calls?: unknown },
): void {
  const { completion } = received;
  const choice = { index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason };
  sendCompletion(received, { ...completion, choices: [choice] });
}

/** A reply that calls a tool with these arguments. */
export function toolCall(kind: string, args: string): KnownFault {
  const call = { id: 'call_a', type: 'function', function: { name: 'write_file', arguments: args } };
  return {
    kind,
    fault: 'reply',
    billed: 'usage',
    send: (received) => deliver(received, { tool_calls: [call], finish_reason: 'tool_calls' }),
  };
}

/** An answer with this status; without a body of its own it quotes the key, as endpoints do. */
export function status(
  kind: string,
  code: number,
  fault: Fault,
  billed: KnownFault['billed'],
  answer: { body?: string; headers?: Record<string, string> } = {},
): KnownFault {
  return {
    kind,
    fault,
    billed,
    send: ({ res, req }) => {
      res.writeHead(code, { 'content-type': 'application/json', ...answer.headers });
      const quoted = JSON.stringify({
        error: { message: `status ${code} for ${req.headers.authorization}` },
      });
      res.end(answer.body ?? quoted);
    },
  };
}

/** A 200 with this text. */
export function body(
  kind: string,
  text: string,
  {
    type = 'application/json',
    ...expected
  }: { type?: string; fault?: Fault; billed?: KnownFault['billed'] } = {},
): KnownFault {
  return {
    kind,
    fault: 'garbled',
    billed: 'most',
    ...expected,
    send: ({ res }) => {
      res.writeHead(200, { 'content-type': type });
      res.end(text);
    },
  };
}

/** A completion with this usage. */
export function usage(kind: string, value: unknown): KnownFault {
  return {
    kind,
    fault: 'reply',
    billed: 'most',
    send: (received) => {
      sendCompletion(received, { ...received.completion, usage: value } as Completion);
    },
  };
}

/** A fault that happens before a server is reached; see `urlFor`. */
export function address(kind: string): KnownFault {
  return { kind, fault: 'connection', billed: 'no', send: () => {} };
}
