import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hashJson } from '../../src/json.ts';
import type { ChatRequest } from '../../src/llm/llm.ts';
import { complete } from '../../src/offline/offline-llm.ts';
import { sendCompletion } from '../llm/fault-answers.ts';
import { type Completion, rawBody } from '../llm/fault-server.ts';

/** A request for a completion, as it came in. */
export type Asked = { body: { [key: string]: unknown }; raw: string; headers: IncomingHttpHeaders };

/** A completion, or any other answer. */
export type Answer = Completion | { status: number; text: string; type?: string };

export type Endpoint = {
  /** The base URL, with `/v1`. */
  url: string;
  asked: Asked[];
  /** Requests of any kind. */
  hits(): number;
  close(): Promise<void>;
};

export type EndpointOptions = {
  /** Names in the list of models. */
  models?: readonly string[];
  /** The only key that is let in; null lets all in. */
  key?: string | null;
  answer?: (asked: Asked) => Answer;
  /** In place of the list of models. */
  list?: (headers: IncomingHttpHeaders) => { status: number; text: string; type?: string };
};

/** A loopback endpoint for whole runs; unless told otherwise it answers as the offline model does, whatever the name. */
export async function startEndpoint(options: EndpointOptions = {}): Promise<Endpoint> {
  const { models = ['small'], key = null, answer = ({ body }) => offlineAnswer(body), list } = options;
  const asked: Asked[] = [];
  let hits = 0;
  const server = createServer(async (req, res) => {
    hits++;
    if (key !== null && req.headers.authorization !== `Bearer ${key}`) {
      return send(res, { status: 401, text: '{"error":{"message":"Incorrect API key provided"}}' });
    }
    if (req.url === '/v1/models') {
      const data = models.map((id) => ({ id, object: 'model' }));
      return send(
        res,
        list?.(req.headers) ?? { status: 200, text: JSON.stringify({ object: 'list', data }) },
      );
    }
    const raw = (await rawBody(req))?.toString();
    if (raw === undefined) return;
    if (req.url !== '/v1/chat/completions') return send(res, { status: 404, text: 'no such page' });
    const one = { body: JSON.parse(raw), raw, headers: req.headers };
    asked.push(one);
    const given = answer(one);
    if ('status' in given) return send(res, given);
    sendCompletion({ req, res, body: one.body, completion: given, every: () => {} }, given);
  });
  // No connection is closed under a request because one of the two was held up.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    hits: () => hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What the offline model answers; an endpoint that takes no seed draws from the request itself. */
export function offlineAnswer(body: { [key: string]: unknown }): Completion {
  const { max_completion_tokens, ...request } = body as ChatRequest & { max_completion_tokens?: number };
  const most = request.max_tokens ?? max_completion_tokens;
  const seed = request.seed ?? Number.parseInt(hashJson(request).slice(0, 6), 16);
  const given = { ...request, seed, ...(most === undefined ? {} : { max_tokens: most }) };
  return complete(given as ChatRequest) as unknown as Completion;
}

/** A completion that says this text. */
export function saying(content: string): Completion {
  return {
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
  };
}

/** Whose request it is, by its first words. */
export function roleOf({ messages }: { [key: string]: unknown }): 'agent' | 'mutator' | 'critic' {
  const first = String((messages as { content: unknown }[])[0]?.content);
  if (/^You (improve the harness of an agent|merge two versions)/.test(first)) return 'mutator';
  return first.startsWith('You criticise the work of an agent') ? 'critic' : 'agent';
}

function send(
  res: ServerResponse,
  { status, text, type = 'application/json' }: { status: number; text: string; type?: string },
) {
  res.writeHead(status, { 'content-type': type }).end(text);
}
