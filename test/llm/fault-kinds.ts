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
  /** `usage`: what was delivered; `most`: the request's bytes and its reply bound; `no`: nothing. */
  billed: 'usage' | 'most' | 'no';
  /** Only where streams are asked for, or only where not; else both. */
  only?: 'stream' | 'plain';
  /** The time-out that must end it: kinds that hang. */
  ends?: 'idle' | 'total';
  /** Answers; returns the completion that was delivered, where it is not the one received. */
  send(received: Received): Completion | undefined;
};

/** A name in `FAULTS`. */
export type FaultKind = string;

export const FAULTS: readonly KnownFault[] = [
  // Silence and noise without an end.
  {
    kind: 'silence',
    fault: 'timeout',
    billed: 'most',
    ends: 'total',
    send: () => undefined,
  },
  {
    kind: 'silence-in-the-body',
    fault: 'timeout',
    billed: 'most',
    ends: 'idle',
    send: ({ res, body }) => void head(res, body).write(body.stream ? ': hello\n\n' : '{"choices": ['),
  },
  {
    kind: 'keep-alives-for-ever',
    fault: 'timeout',
    billed: 'most',
    only: 'stream',
    ends: 'total',
    send: ({ res, body, every }) => {
      head(res, body);
      every(10, () => res.write(': keep-alive\n\n'));
      return undefined;
    },
  },
  {
    kind: 'spaces-for-ever',
    fault: 'timeout',
    billed: 'most',
    only: 'plain',
    ends: 'total',
    send: ({ res, body, every }) => {
      head(res, body);
      every(10, () => res.write(' '));
      return undefined;
    },
  },
  {
    kind: 'endless-body',
    fault: 'garbled',
    billed: 'most',
    send: ({ res, body, every }) => {
      head(res, body);
      const noise = body.stream ? `data: ${event({ content: 'x'.repeat(60_000) })}\n\n` : 'x'.repeat(60_000);
      every(0, () => {
        if (res.writableLength < 1_000_000) for (let i = 0; i < 10; i++) res.write(noise);
      });
      return undefined;
    },
  },

  // Tool calls as models write them: odd, but replies.
  toolCall('arguments-not-json', 'write it to a.py please'),
  toolCall('arguments-cut-short', '{"path": "a.py", "text": "import'),
  toolCall('arguments-doubled', '{"path": "a.py"}{"path": "a.py"}'),
  toolCall('arguments-in-single-quotes', "{'path': 'a.py'}"),
  {
    kind: 'only-thinking',
    fault: 'reply',
    billed: 'usage',
    send: (received) =>
      deliver(received, { content: '<think>So, what is asked here is', finish_reason: 'length' }),
  },
  {
    kind: 'content-in-parts',
    fault: 'reply',
    billed: 'usage',
    only: 'plain',
    send: (received) => deliver(received, { content: [{ type: 'text', text: 'Hello.' }] }),
  },
  {
    kind: 'ten-megabytes',
    fault: 'reply',
    billed: 'usage',
    send: (received) => deliver(received, { content: 'x'.repeat(10_000_000) }),
  },

  // Statuses.
  status('bad-tool-call-in-history', 400, 'bad-request', 'no', {
    body: '{"type":"error","error":{"type":"bad_request_error","message":"invalid params, invalid function arguments json string (2013)","http_code":"400"}}',
  }),
  status('context-length', 400, 'too-long', 'no', {
    body: '{"error":{"message":"This model\'s maximum context length is 8192 tokens.","code":"context_length_exceeded"}}',
  }),
  status('other-400', 400, 'bad-request', 'no'),
  status('401', 401, 'refused', 'no'),
  status('402', 402, 'refused', 'no'),
  status('403', 403, 'refused', 'no'),
  status('404-model', 404, 'unknown-model', 'no', {
    body: '{"error":{"message":"The model `huge` does not exist","code":"model_not_found"}}',
  }),
  status('404-path', 404, 'bad-request', 'no', { body: '<html><body><h1>Not Found</h1></body></html>' }),
  status('408', 408, 'unavailable', 'most'),
  status('409', 409, 'unavailable', 'no'),
  status('413', 413, 'too-long', 'no'),
  status('422', 422, 'bad-request', 'no', { body: '{"detail":[{"msg":"field required"}]}' }),
  status('425', 425, 'unavailable', 'no'),
  status('429', 429, 'busy', 'no'),
  status('429-seconds', 429, 'busy', 'no', { headers: { 'retry-after': '2' } }),
  status('429-date', 429, 'busy', 'no', { headers: { 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' } }),
  status('429-milliseconds', 429, 'busy', 'no', { headers: { 'retry-after-ms': '40' } }),
  status('429-negative', 429, 'busy', 'no', { headers: { 'retry-after': '-5' } }),
  status('429-absurd', 429, 'busy', 'no', { headers: { 'retry-after': '31536000' } }),
  status('429-quota', 429, 'refused', 'no', {
    body: '{"error":{"message":"You exceeded your current quota.","type":"insufficient_quota"}}',
  }),
  status('500', 500, 'unavailable', 'no'),
  status('502', 502, 'unavailable', 'most', { body: '<html><body>Bad Gateway</body></html>' }),
  status('503', 503, 'unavailable', 'no', { headers: { 'retry-after': '1' } }),
  status('504', 504, 'unavailable', 'most'),
  status('522', 522, 'unavailable', 'most'),
  status('529', 529, 'unavailable', 'no', { body: '{"type":"overloaded_error","message":"overloaded"}' }),

  // 200s that are no completions.
  body('html', '<!doctype html><html><body>Please log in</body></html>', 'text/html'),
  body('empty-body', ''),
  body('array', '[]'),
  body('number', '42'),
  body('choices-empty', '{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'),
  body('choices-missing', '{"object":"chat.completion"}'),
  body('half-a-body', '{"choices":[{"message":{"role":"assistant","content":"Hel'),
  {
    kind: 'body-cut-under-its-length',
    fault: 'garbled',
    billed: 'most',
    send: ({ res }) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '4000' });
      res.write('{"choices":[', () => res.socket?.end());
      return undefined;
    },
  },
  {
    kind: 'wrong-content-type',
    fault: 'reply',
    billed: 'usage',
    send: (received) => sendCompletion(received, received.completion, 'text/plain'),
  },

  // Usage that says nothing.
  usage('usage-missing', undefined),
  usage('usage-null', null),
  usage('usage-in-strings', { prompt_tokens: '11', completion_tokens: '3' }),

  // Connections.
  {
    kind: 'closed-without-an-answer',
    fault: 'connection',
    billed: 'most',
    send: ({ res }) => void res.socket?.end(),
  },
  {
    kind: 'reset-before-headers',
    fault: 'connection',
    billed: 'most',
    send: ({ res }) => void res.socket?.resetAndDestroy(),
  },
  {
    kind: 'reset-in-the-body',
    fault: 'connection',
    billed: 'most',
    send: ({ res, body }) => {
      head(res, body);
      res.write(body.stream ? `data: ${event({ content: 'Hel' })}\n\n` : '{"choices": [');
      setTimeout(() => res.socket?.resetAndDestroy(), 20);
      return undefined;
    },
  },
  address('refused-connection'),
  address('name-not-found'),
  address('tls-to-a-plain-port'),

  // Streams.
  {
    kind: 'stream-with-empty-roles',
    fault: 'reply',
    billed: 'usage',
    only: 'stream',
    send: ({ res, body, completion }) => {
      const pieces = ['Hel', 'lo.'].map((content) => event({ role: '', content }));
      const end = [event({ role: '', content: '' }, 'stop'), usageEvent(completion.usage), '[DONE]'];
      return void sendEvents(res, body, [...pieces, ...end]);
    },
  },
  {
    kind: 'stream-with-an-error',
    fault: 'unavailable',
    billed: 'most',
    only: 'stream',
    send: ({ res, body }) =>
      void sendEvents(res, body, [
        event({ content: 'Hel' }),
        '{"error":{"type":"server_error","message":"The server had an error"}}',
      ]),
  },
  {
    kind: 'stream-with-a-piece-cut',
    fault: 'garbled',
    billed: 'most',
    only: 'stream',
    send: ({ res, body }) => void sendEvents(res, body, [event({ content: 'Hel' }), '{"choices":[{"del']),
  },
  {
    kind: 'stream-without-an-end',
    fault: 'garbled',
    billed: 'most',
    only: 'stream',
    send: ({ res, body }) => void sendEvents(res, body, [event({ content: 'Hel' })]),
  },
  {
    kind: 'stream-without-done',
    fault: 'reply',
    billed: 'usage',
    only: 'stream',
    send: ({ res, body, completion }) =>
      void sendEvents(res, body, [event({ content: 'Hello.' }, 'stop'), usageEvent(completion.usage)]),
  },
  {
    kind: 'stream-without-usage',
    fault: 'reply',
    billed: 'most',
    only: 'stream',
    send: ({ res, body }) =>
      void sendEvents(res, body, [event({ content: 'Hello.' }), event({}, 'stop'), '[DONE]']),
  },
];

/** Sends a completion as it should be, as JSON or in pieces. */
export function sendCompletion(
  { res, body }: Received,
  completion: Completion,
  type = body.stream ? 'text/event-stream' : 'application/json',
): Completion {
  if (!body.stream) {
    res.writeHead(200, { 'content-type': type });
    res.end(JSON.stringify(completion));
    return completion;
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
  sendEvents(res, body, events, type);
  return completion;
}

function halves(text: string): [string, string] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
}

function event(delta: Record<string, unknown>, finish: string | null = null): string {
  return JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] });
}

function usageEvent(usage: unknown): string {
  return JSON.stringify({ choices: [], usage });
}

function head(res: ServerResponse, body: { [key: string]: unknown }): ServerResponse {
  res.writeHead(200, { 'content-type': body.stream ? 'text/event-stream' : 'application/json' });
  return res;
}

function sendEvents(
  res: ServerResponse,
  _body: { [key: string]: unknown },
  events: string[],
  type = 'text/event-stream',
): void {
  res.writeHead(200, { 'content-type': type });
  res.end(events.map((data) => `data: ${data}\n\n`).join(': and on\n\n'));
}

function deliver(
  received: Received,
  { finish_reason = 'stop', ...message }: { finish_reason?: string; content?: unknown; tool_calls?: unknown },
): Completion {
  const { completion } = received;
  const choice = { index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason };
  return sendCompletion(received, { ...completion, choices: [choice] });
}

function toolCall(kind: string, args: string): KnownFault {
  const call = { id: 'call_a', type: 'function', function: { name: 'write_file', arguments: args } };
  return {
    kind,
    fault: 'reply',
    billed: 'usage',
    send: (received) => deliver(received, { tool_calls: [call], finish_reason: 'tool_calls' }),
  };
}

function status(
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
      // Endpoints quote the key.
      const quoted = JSON.stringify({
        error: { message: `status ${code} for ${req.headers.authorization}` },
      });
      res.end(answer.body ?? quoted);
      return undefined;
    },
  };
}

function body(kind: string, text: string, type = 'application/json'): KnownFault {
  return {
    kind,
    fault: 'garbled',
    billed: 'most',
    send: ({ res }) => {
      res.writeHead(200, { 'content-type': type });
      res.end(text);
      return undefined;
    },
  };
}

function usage(kind: string, value: unknown): KnownFault {
  return {
    kind,
    fault: 'reply',
    billed: 'most',
    send: (received) => {
      sendCompletion(received, { ...received.completion, usage: value } as Completion);
      return undefined;
    },
  };
}

/** A fault that happens before a server is reached; see `urlFor`. */
function address(kind: string): KnownFault {
  return { kind, fault: 'connection', billed: 'no', send: () => undefined };
}
