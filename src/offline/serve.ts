import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../errors.ts';
import { Refusal, readChatRequest, unknownModel } from './chat-request.ts';
import { chunksOf } from './chunks.ts';
import { complete, OFFLINE_MODEL } from './offline-llm.ts';

/** The offline model on a port. */
export type ModelServer = {
  /** What an OpenAI client takes as its base URL; ends in `/v1`. */
  url: string;
  /** Closes every connection and frees the port; may be called again. */
  close(): Promise<void>;
};

/** A request that was answered, for whoever counts them. `path` is without the query. */
export type Answered = { method: string; path: string; status: number };

export type ServeOptions = {
  /** 0: any free port. */
  port?: number;
  /** Only this machine can reach it. */
  host?: '127.0.0.1' | '::1';
  onRequest?: (answered: Answered) => void;
};

/** Longest body, in bytes. */
const MOST_BYTES = 16 * 2 ** 20;
/** Clients keep connections while trainings run; they should not find them closed. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Serves the offline model as an OpenAI-compatible endpoint on loopback: `GET /v1/models`, `GET /v1/models/offline`
 * and `POST /v1/chat/completions`, streamed or not. Answers are those of `offlineLlm` to the same request, and depend
 * on nothing else. Whatever is sent, a bad request is answered with the API's form of an error. Any key will do.
 * Rejects when the port cannot be had.
 */
export async function serveOffline(options: ServeOptions = {}): Promise<ModelServer> {
  const { port = 0, host = '127.0.0.1', onRequest = () => {} } = options;
  const server = createServer((request, response) => {
    const path = pathOf(request);
    response.on('finish', () =>
      onRequest({ method: request.method ?? '', path, status: response.statusCode }),
    );
    answer(request, path, response).catch((error) => refuse(response, error));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await listening(server, port, host);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/v1`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, path: string, response: ServerResponse): Promise<void> {
  if (path === '/v1/chat/completions') {
    allow(request, response, 'POST');
    return answerChat(await readJson(request), response);
  }
  if (path === '/v1/models') {
    allow(request, response, 'GET');
    return send(response, 200, { object: 'list', data: [MODEL] });
  }
  const named = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
  if (named === undefined) {
    const message = `there is no ${path} here; the base URL ends in /v1, and has /models and /chat/completions`;
    throw new Refusal(404, message, null, 'unknown_url');
  }
  allow(request, response, 'GET');
  if (named !== OFFLINE_MODEL) throw unknownModel(named, [OFFLINE_MODEL]);
  send(response, 200, MODEL);
}

const MODEL = { id: OFFLINE_MODEL, object: 'model', created: 0, owned_by: 'evolve' };

function answerChat(body: unknown, response: ServerResponse): void {
  const { request, stream, includeUsage } = readChatRequest(body, [OFFLINE_MODEL]);
  const completion = completed(request);
  if (!stream) {
    send(response, 200, completion);
    return;
  }
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  for (const chunk of chunksOf(completion, includeUsage))
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  response.end('data: [DONE]\n\n');
}

/** The model reads conversations that its own kind wrote; one that it stumbles over is no fault of the server. */
function completed(request: Parameters<typeof complete>[0]): ReturnType<typeof complete> {
  try {
    return complete(request);
  } catch (error) {
    throw new Refusal(400, `the model cannot read this conversation: ${messageOf(error)}`, 'messages');
  }
}

/** The body as JSON. What is too long is read to its end and thrown away: only then do clients see the answer. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= MOST_BYTES) parts.push(part);
    else parts = [];
  }
  if (bytes > MOST_BYTES) {
    throw new Refusal(413, `the body is longer than ${MOST_BYTES} bytes`, null, 'request_too_large');
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${messageOf(error)}`);
  }
}

function allow(request: IncomingMessage, response: ServerResponse, method: string): void {
  if (request.method === method) return;
  response.setHeader('allow', method);
  throw new Refusal(405, `${request.method} is not for ${pathOf(request)}; use ${method}`);
}

function refuse(response: ServerResponse, error: unknown): void {
  // The client went away: there is nobody to tell.
  if (response.headersSent || response.destroyed) return void response.destroy();
  const known = error instanceof Refusal ? error : new Refusal(500, messageOf(error));
  const { status, message, param, code } = known;
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  send(response, status, { error: { message, type, param, code } });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Without the query, and without slashes at the end. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').replace(/[?#].*$/s, '').replace(/(.)\/+$/, '$1');
}

function listening(server: Server, port: number, host: string): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      done();
    });
  });
}
