import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import OpenAI from 'openai';
import { httpFault } from './classify.ts';
import { CHECK_SCHEME, codeOf, connectionFault } from './connection-fault.ts';
import { errorBody } from './error-body.ts';
import { type ChatRequest, cancelled, type Llm, LlmError } from './llm.ts';
import { patientFetch } from './patient-fetch.ts';
import type { Profile } from './profile.ts';
import { garbled, replyOf, tooLong } from './reply.ts';
import { readStream } from './stream.ts';
import { mostOf, wireBody } from './wire.ts';

/** Where a model is, how it is called there, and for how long it is waited. */
export type Endpoint = {
  baseURL: string;
  apiKey: string;
  /** What is known of the model; without it requests are sent as they stand. */
  profile?: Profile;
  /** Whether replies are streamed, so that silence is noticed; default no. */
  stream?: boolean;
  /** The longest silence, ms: within a body, and before the first byte of a stream. Default two minutes. */
  idleMs?: number;
  /** The longest a call may take, ms. Default ten minutes. */
  totalMs?: number;
  /** Whether OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS are meant for this endpoint; default no. */
  envHeaders?: boolean;
  /** The longest reply that is kept, in characters; default 16 million. Far more may come: see `RAW`. */
  maxChars?: number;
  /** How requests travel; the offline model hands in a `fetch` that never leaves the process. */
  fetch?: typeof fetch;
};

/** So many bytes may come for each character that is kept: streams wrap their pieces, or repeat all text so far. */
const RAW = 64;

/** How long an error's body is waited for: its status is what counts. */
const ERROR_MS = 5000;

/** How long the end of a body is waited for once a stream has said that it is done. */
const END_MS = 20;

/**
 * A model behind an OpenAI-compatible endpoint: one attempt a call, bounded in time and bytes; whatever goes wrong is
 * an `LlmError`, and what the model says, however odd, a reply. Retries nothing: wrappers decide that.
 */
export function openaiLlm(endpoint: Endpoint): Llm {
  const { profile, stream = false, idleMs = 120_000, totalMs = 600_000, maxChars = 16_000_000 } = endpoint;
  const client = new OpenAI({
    baseURL: endpoint.baseURL,
    // The SDK insists on one; endpoints at home do not.
    apiKey: endpoint.apiKey || 'none',
    adminAPIKey: null,
    ...(endpoint.envHeaders
      ? {}
      : { organization: null, project: null, defaultHeaders: withoutEnvHeaders() }),
    maxRetries: 0,
    logLevel: 'off',
    // Ours comes first; this one only must not.
    timeout: Math.min(2 * totalMs + 60_000, 2 ** 31 - 1),
    fetch: classifying(endpoint.fetch ?? patientFetch, Math.min(idleMs, ERROR_MS)),
  });

  return async (request: ChatRequest, signal?: AbortSignal) => {
    if (signal?.aborted) throw cancelled('before the call was sent');
    const watch = watchOver(signal, idleMs, totalMs);
    try {
      const body = wireBody(request, profile, stream);
      if (stream) watch.heard();
      const sent = client.post('/chat/completions', { body, signal: watch.signal }).asResponse();
      const response = await watch.within(sent);
      const completion = await readCompletion(response, stream, maxChars, watch);
      return replyOf(completion, () => mostOf(request, profile, stream));
    } catch (error) {
      throw withoutKey(watch.reason() ?? asLlmError(error), endpoint.apiKey);
    } finally {
      watch.end();
    }
  };
}

/** What takes the headers of OPENAI_CUSTOM_HEADERS, which the SDK sends unasked, out again: they may hold keys. */
function withoutEnvHeaders(): Record<string, null> {
  const lines = (process.env.OPENAI_CUSTOM_HEADERS ?? '').split('\n').filter((line) => line.includes(':'));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).trim(), null]));
}

async function readCompletion(
  response: Response,
  stream: boolean,
  maxChars: number,
  watch: Watch,
): Promise<unknown> {
  const next = textsOf(response, maxChars * RAW, watch);
  if (stream && /event-stream/i.test(response.headers.get('content-type') ?? '')) {
    const reader = readStream(maxChars);
    for (let text = await next(); text !== null; text = await next()) {
      if (!reader.feed(text)) continue;
      // The end of the body is most often there already: then the connection can be used again.
      // Were we held up ourselves, the time is over before anything was read: what has come meanwhile is read first.
      const late = delay(END_MS).then(() => immediate());
      await Promise.race([next().catch(() => {}), late]);
      break;
    }
    return reader.completion();
  }
  const parts: string[] = [];
  let length = 0;
  for (let text = await next(); text !== null; text = await next()) {
    parts.push(text);
    length += text.length;
    if (length > maxChars) throw tooLong(maxChars);
  }
  const text = parts.join('');
  try {
    return JSON.parse(text);
  } catch {
    // A stream under another content type, where one was asked for.
    if (stream && /^\s*(data|event|id|:)/.test(text)) {
      const reader = readStream(maxChars);
      reader.feed(text);
      return reader.completion();
    }
    if (/^\s*</.test(text)) throw pageOfHtml();
    throw garbled(`the endpoint answered 200 with ${text.trim() === '' ? 'nothing' : 'no whole JSON'}`);
  }
}

/** A login, a proxy's word or a page of maintenance: no model was behind it, and none is until that has gone. */
function pageOfHtml(): LlmError {
  const message = 'the endpoint answered 200 with a page of HTML, as a proxy or a login does';
  return new LlmError('unavailable', message, { status: 200, billed: false });
}

/** The body as text, piece by piece, null at its end; every piece puts off the idle timeout. */
function textsOf(response: Response, maxBytes: number, watch: Watch): () => Promise<string | null> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let bytes = 0;
  return async () => {
    if (!reader) return null;
    watch.heard();
    const { done, value } = await watch.within(reader.read().catch(breakingOff));
    if (done) {
      watch.whole();
      return null;
    }
    bytes += value.byteLength;
    if (bytes > maxBytes) throw garbled(`the endpoint's answer is longer than ${maxBytes} bytes`);
    return decoder.decode(value, { stream: true });
  };
}

/** A body that is cut short is garbled; only where the connection was reset, that is what happened. */
function breakingOff(error: unknown): never {
  const fault = connectionFault(error);
  if (fault.fault === 'timeout' || /^(ECONNRESET|EPIPE)$/.test(codeOf(error))) throw fault;
  throw garbled("the endpoint's answer was cut short");
}

/** Bounds a call: by the caller's signal, by silence, by its whole time. */
type Watch = {
  signal: AbortSignal;
  /** Something came: the wait for the next begins. */
  heard(): void;
  /** The promise, or the reason why nobody waits for it any more. */
  within<T>(promise: Promise<T>): Promise<T>;
  reason(): LlmError | null;
  /** The body has come to its end: the connection is no longer this call's. */
  whole(): void;
  /** Lets go of timers and of the connection, if it is still this call's. */
  end(): void;
};

function watchOver(signal: AbortSignal | undefined, idleMs: number, totalMs: number): Watch {
  const control = new AbortController();
  let reason: LlmError | null = null;
  let idle: NodeJS.Timeout | undefined;
  let whole = false;
  let fail: (error: LlmError) => void = () => {};
  const over = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Also where nobody is waiting at the time.
  over.catch(() => {});

  const stop = (error: LlmError) => {
    reason ??= error;
    fail(reason);
    control.abort();
  };
  const late = (what: string) => stop(new LlmError('timeout', what, { billed: true }));
  const cancel = () => stop(new LlmError('cancelled', 'the call was cancelled', { billed: true }));
  const total = setTimeout(() => late(`the call took longer than ${totalMs} ms`), totalMs);
  signal?.addEventListener('abort', cancel, { once: true });

  return {
    signal: control.signal,
    heard() {
      clearTimeout(idle);
      idle = setTimeout(() => late(`nothing came from the endpoint for ${idleMs} ms`), idleMs);
    },
    within: (promise) => Promise.race([promise, over]),
    reason: () => reason,
    whole() {
      whole = true;
    },
    end() {
      clearTimeout(total);
      clearTimeout(idle);
      signal?.removeEventListener('abort', cancel);
      if (!whole) control.abort();
    },
  };
}

/** Carries a fault through the SDK, which wraps what a `fetch` throws and reads its words for signs of a timeout. */
class Carried extends Error {
  constructor(readonly fault: LlmError) {
    super('carried');
  }
}

/** A `fetch` that says what went wrong in our words: the SDK's keep neither bodies without `error` nor their bounds. */
function classifying(send: typeof fetch, errorMs: number): typeof fetch {
  return async (url, init) => {
    let response: Response;
    try {
      // What was meant for one host goes to no other, and a POST that is redirected becomes a GET.
      response = await send(url, { ...init, redirect: 'manual' });
    } catch (error) {
      throw new Carried(connectionFault(error));
    }
    if (response.ok) return response;
    throw new Carried(httpFault(response.status, response.headers, await errorBody(response, errorMs)));
  };
}

/** Endpoints quote what they were sent: the key leaves no error, nor the start of it where a message was cut. */
function withoutKey(error: LlmError, key: string): LlmError {
  for (let length = key.length; length >= 8; length--) {
    const part = key.slice(0, length);
    if (error.message.includes(part)) {
      return new LlmError(error.fault, error.message.replaceAll(part, '…'), error);
    }
  }
  return error;
}

function asLlmError(error: unknown): LlmError {
  if (error instanceof LlmError) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Carried) return cause.fault;
  // Nothing was sent: what cannot be put into a header or a URL. The words of such errors may hold the key.
  const key = /header|ByteString/i.test(String(error));
  return new LlmError(
    key ? 'refused' : 'bad-request',
    key ? 'the key holds characters that cannot be sent' : 'the request could not be sent',
    {
      hint: key ? 'Check the key: line breaks and quotation marks are no part of it.' : CHECK_SCHEME,
    },
  );
}
