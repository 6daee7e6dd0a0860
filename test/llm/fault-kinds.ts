import {
  address,
  body,
  deliver,
  event,
  head,
  type KnownFault,
  sendCompletion,
  sendEvents,
  status,
  toolCall,
  usage,
  usageEvent,
} from './fault-answers.ts';

/** A name in `FAULTS`. */
export type FaultKind = string;

/**
 * What endpoints, gateways and networks really do, by their documents and public issue threads: each kind with the class
 * that a client must find, and with what may be charged for it.
 */
export const FAULTS: readonly KnownFault[] = [
  // Silence and noise without an end.
  {
    kind: 'silence',
    fault: 'timeout',
    billed: 'most',
    ends: 'total',
    send: () => {},
  },
  {
    kind: 'silence-in-the-body',
    fault: 'timeout',
    billed: 'most',
    ends: 'idle',
    send: ({ res, body }) => head(res, body).write(body.stream ? ': hello\n\n' : '{"choices": ['),
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
  status('redirect', 301, 'bad-request', 'no', { headers: { location: '/v1/models' } }),
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
  status('429-of-the-minute', 429, 'busy', 'no', {
    body: '{"error":{"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 0.04s."}}',
  }),
  status('500', 500, 'unavailable', 'no'),
  status('502', 502, 'unavailable', 'most', { body: '<html><body>Bad Gateway</body></html>' }),
  status('503', 503, 'unavailable', 'no', { headers: { 'retry-after': '1' } }),
  status('504', 504, 'unavailable', 'most'),
  status('522', 522, 'unavailable', 'most'),
  status('529', 529, 'unavailable', 'no', { body: '{"type":"overloaded_error","message":"overloaded"}' }),

  // 200s that are no completions.
  body('html', '<!doctype html><html><body>Please log in</body></html>', {
    type: 'text/html',
    fault: 'unavailable',
    billed: 'no',
  }),
  body('empty-body', ''),
  body('array', '[]'),
  body('number', '42'),
  body('choices-empty', '{"choices":[],"usage":null}'),
  body('choices-missing', '{"object":"chat.completion"}'),
  body('half-a-body', '{"choices":[{"message":{"role":"assistant","content":"Hel'),
  body('minimax-overloaded', '{"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit"}}', {
    fault: 'busy',
    billed: 'no',
  }),
  body('error-in-a-200', '{"error":{"code":502,"message":"Provider returned error"}}', {
    fault: 'unavailable',
  }),
  body(
    'error-in-a-choice',
    '{"choices":[{"error":{"code":502,"message":"Upstream failed"},"message":{"content":""}}]}',
    {
      fault: 'unavailable',
    },
  ),
  body(
    'finish-in-error',
    '{"choices":[{"finish_reason":"error","message":{"role":"assistant","content":""}}]}',
    {
      fault: 'unavailable',
    },
  ),
  body('refusal-in-a-200', '{"error":{"code":429,"message":"Provider is busy"}}', {
    fault: 'busy',
    billed: 'no',
  }),
  {
    kind: 'body-cut-under-its-length',
    fault: 'garbled',
    billed: 'most',
    send: ({ res }) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': '4000' });
      res.write('{"choices":[', () => res.socket?.end());
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
  usage('usage-of-nothing', { prompt_tokens: 0, completion_tokens: 0 }),

  // Connections.
  {
    kind: 'closed-without-an-answer',
    fault: 'connection',
    billed: 'most',
    send: ({ res }) => res.socket?.end(),
  },
  {
    kind: 'reset-before-headers',
    fault: 'connection',
    billed: 'most',
    send: ({ res }) => res.socket?.resetAndDestroy(),
  },
  {
    kind: 'reset-in-the-body',
    fault: 'connection',
    // A loaded machine may hear of the end before it hears of the reset.
    orFault: 'garbled',
    billed: 'most',
    send: ({ res, body }) => {
      head(res, body);
      res.write(body.stream ? `data: ${event({ content: 'Hel' })}\n\n` : '{"choices": [');
      setTimeout(() => res.socket?.resetAndDestroy(), 20);
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
    send: ({ res, completion }) => {
      const pieces = ['Hel', 'lo.'].map((content) => event({ role: '', content }));
      const end = [event({ role: '', content: '' }, 'stop'), usageEvent(completion.usage), '[DONE]'];
      sendEvents(res, [...pieces, ...end]);
    },
  },
  {
    kind: 'stream-with-an-error',
    fault: 'unavailable',
    billed: 'most',
    only: 'stream',
    send: ({ res }) =>
      sendEvents(res, [
        event({ content: 'Hel' }),
        '{"error":{"type":"server_error","message":"The server had an error"}}',
      ]),
  },
  {
    kind: 'stream-with-an-error-in-a-choice',
    fault: 'unavailable',
    billed: 'most',
    only: 'stream',
    send: ({ res }) =>
      sendEvents(res, [
        event({ content: 'Hel' }),
        '{"choices":[{"delta":{"content":""},"finish_reason":"error","error":{"code":502,"message":"Upstream failed"}}]}',
      ]),
  },
  {
    kind: 'stream-that-is-refused',
    fault: 'bad-request',
    billed: 'no',
    only: 'stream',
    send: ({ res }) => sendEvents(res, ['{"error":{"code":400,"message":"Provider returned error"}}']),
  },
  {
    kind: 'stream-that-is-refused-midway',
    fault: 'bad-request',
    billed: 'most',
    only: 'stream',
    send: ({ res }) =>
      sendEvents(res, [
        event({ content: 'Hel' }),
        '{"error":{"code":400,"message":"Provider returned error"}}',
      ]),
  },
  {
    kind: 'stream-that-repeats-itself',
    fault: 'reply',
    billed: 'usage',
    only: 'stream',
    send: ({ res, completion }) => {
      const said = Array.from({ length: 40 }, (_, i) => 'I think '.repeat(i + 1));
      const pieces = said.map((text) => event({ reasoning_details: [{ index: 0, text }] }));
      sendEvents(res, [
        ...pieces,
        event({ content: 'Yes.' }, 'stop'),
        usageEvent(completion.usage),
        '[DONE]',
      ]);
    },
  },
  {
    kind: 'stream-with-a-piece-cut',
    fault: 'garbled',
    billed: 'most',
    only: 'stream',
    send: ({ res }) => sendEvents(res, [event({ content: 'Hel' }), '{"choices":[{"del']),
  },
  {
    kind: 'stream-without-an-end',
    fault: 'garbled',
    billed: 'most',
    only: 'stream',
    send: ({ res }) => sendEvents(res, [event({ content: 'Hel' })]),
  },
  {
    kind: 'stream-without-done',
    fault: 'reply',
    billed: 'usage',
    only: 'stream',
    send: ({ res, completion }) =>
      sendEvents(res, [event({ content: 'Hello.' }, 'stop'), usageEvent(completion.usage)]),
  },
  {
    kind: 'stream-without-usage',
    fault: 'reply',
    billed: 'most',
    only: 'stream',
    send: ({ res }) => sendEvents(res, [event({ content: 'Hello.' }), event({}, 'stop'), '[DONE]']),
  },
];
