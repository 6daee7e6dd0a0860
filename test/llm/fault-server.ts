import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Received, sendCompletion } from './fault-answers.ts';
import { FAULTS, type FaultKind } from './fault-kinds.ts';
import { quietPort } from './quiet-port.ts';

export { FAULTS, type FaultKind } from './fault-kinds.ts';

/** A completion; `usage` is what the server bills when it delivers it, and has its members in this order. */
export type Completion = {
  choices: { index: number; message: Record<string, unknown>; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
};

/** What the server would put on the bill for one request, in tokens. */
export type Bill = { request: number; kind: FaultKind | null; tokensIn: number; tokensOut: number };

export type FaultServer = {
  /** The base URL, with `/v1`. */
  url: string;
  /** The base URL at which a kind happens: most at `url`, some before any server is reached. */
  urlFor(kind: FaultKind): string;
  /** The bodies of all completion requests that arrived whole, in order. */
  requests(): { [key: string]: unknown }[];
  /** How many connections were made. */
  connections(): number;
  /** What was billed, request by request; counted from the raw bytes that came in. */
  billed(): Bill[];
  close(): Promise<void>;
};

/**
 * A loopback endpoint that meets request n (from 0, in order of arrival) with the fault that `plan` names, or with
 * `answer`. It bills by itself, from what it received and sent: the usage where it delivered one, the bytes of the request
 * and the reply bound in it where it sent something billable without usage, nothing else.
 */
export async function startFaultServer({
  answer = fixedAnswer,
  plan = () => null,
}: {
  answer?: (body: { [key: string]: unknown }) => Completion;
  plan?: (n: number, body: { [key: string]: unknown }) => FaultKind | null;
} = {}): Promise<FaultServer> {
  const requests: { [key: string]: unknown }[] = [];
  const bills: Bill[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const timers = new Set<NodeJS.Timeout>();

  const server = createServer(async (req, res) => {
    if (req.url === '/v1/models') return sendModels(res);
    const raw = await rawBody(req);
    if (raw === null) return;
    if (req.url !== '/v1/chat/completions') {
      res.writeHead(404).end('{"error":{"message":"Invalid URL"}}');
      return;
    }
    const body = JSON.parse(raw.toString());
    const n = requests.push(body) - 1;
    const kind = plan(n, body);
    const fault = FAULTS.find((known) => known.kind === kind);
    const completion = answer(body);
    const received: Received = {
      req,
      res,
      body,
      completion,
      every(ms, act) {
        const timer = setInterval(act, ms);
        timers.add(timer);
        res.on('close', () => clearInterval(timer));
      },
    };
    const sent = tailOf(res);
    if (fault) fault.send(received);
    else sendCompletion(received, completion);
    bills.push({ request: n, kind, ...billOf(res, sent(), raw, body) });
  });
  // No connection is closed under a request because this process was held up for a few seconds.
  server.keepAliveTimeout = 65_000;
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const closed = await quietPort();
  const url = `http://127.0.0.1:${port}/v1`;

  return {
    url,
    urlFor(kind) {
      if (kind === 'refused-connection') return `http://127.0.0.1:${closed}/v1`;
      // No name may have so long a part: nobody is asked, and no slow answer is waited for.
      if (kind === 'name-not-found') return `http://${'x'.repeat(64)}.invalid/v1`;
      return kind === 'tls-to-a-plain-port' ? `https://127.0.0.1:${port}/v1` : url;
    },
    requests: () => requests,
    connections: () => connections,
    billed: () => bills,
    async close() {
      for (const timer of timers) clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A small answer, with usage. */
export function fixedAnswer(): Completion {
  return {
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
  };
}

/** Statuses of gateways, behind which the model had answered. */
const LOST_ON_THE_WAY = [408, 502, 504, 522];

/** By what went over the wire alone: neither the names of faults nor what a client makes of them enter. */
function billOf(
  res: ServerResponse,
  sent: string,
  raw: Buffer,
  body: { [key: string]: unknown },
): { tokensIn: number; tokensOut: number } {
  const bound = body.max_tokens ?? body.max_completion_tokens ?? 8192;
  const most = { tokensIn: raw.byteLength, tokensOut: Number(bound) };
  if (res.headersSent && res.statusCode !== 200) {
    return LOST_ON_THE_WAY.includes(res.statusCode) ? most : { tokensIn: 0, tokensOut: 0 };
  }
  // Turned away before a word of the reply, by the endpoint or by what stands before it.
  if (/^<!doctype html|"base_resp":\{"status_code":1002|^(data: )?\{"error":\{"code":(400|429)/.test(sent))
    return { tokensIn: 0, tokensOut: 0 };
  const usage = /"usage":\{"prompt_tokens":(\d+),"completion_tokens":(\d+)/.exec(sent);
  const [tokensIn, tokensOut] = [Number(usage?.[1] ?? 0), Number(usage?.[2] ?? 0)];
  return tokensIn + tokensOut > 0 ? { tokensIn, tokensOut } : most;
}

/** The end of all that is written to a response, as far as usage needs it. */
function tailOf(res: ServerResponse): () => string {
  let tail = '';
  const noted = (method: 'write' | 'end') => {
    const through = res[method].bind(res) as (...args: unknown[]) => never;
    res[method] = (...args: unknown[]) => {
      if (typeof args[0] === 'string') tail = (tail + args[0].slice(-1000)).slice(-1000);
      return through(...args);
    };
  };
  noted('write');
  noted('end');
  return () => tail;
}

/** The whole body; null where the client went away before. */
export async function rawBody(req: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of req) chunks.push(chunk);
  } catch {
    return null;
  }
  return Buffer.concat(chunks);
}

function sendModels(res: ServerResponse): void {
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ object: 'list', data: [{ id: 'small', object: 'model' }] }));
}
