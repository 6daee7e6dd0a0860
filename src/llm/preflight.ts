import { UserError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { httpFault } from './classify.ts';
import { connectionFault } from './connection-fault.ts';
import { errorBody } from './error-body.ts';
import type { LlmError } from './llm.ts';

/** An endpoint as the user gave it, and what a run wants of it. Times in ms. */
export type PreflightOptions = {
  /** As `readBaseURL` gives it. */
  baseURL: string;
  /** As `readKey` gives it. */
  apiKey: string;
  /** The variables that the two came from, for messages. */
  keyVariable: string;
  urlVariable: string;
  /** The models that will be asked for. */
  models: readonly string[];
  fetch?: typeof fetch;
  /** For one answer, to its last byte. */
  timeoutMs?: number;
  /** Waits between tries. */
  sleep?: (ms: number) => Promise<unknown>;
};

/**
 * Asks the endpoint for its models before anything is written or paid for: `GET {baseURL}/models`, which costs nothing.
 * Gives the list, or null where there is none to check against. What is wrong is a `UserError` in one line with what to
 * do, without the key: exit code 2 where the user can mend it (key, credit, address, model), 4 where the endpoint cannot
 * be reached or, three times in a row, is busy or broken.
 */
export async function preflight(options: PreflightOptions): Promise<{ models: string[] | null }> {
  const models = readList(await askPatiently(options), options);
  if (models !== null) refuseMissing(models, options);
  return { models };
}

/**
 * The key of an endpoint from the environment variable `variable`, the only place that keys come from. Throws a
 * `UserError`, without the value, where it is missing or cannot be one.
 */
export function readKey(variable: string, env: NodeJS.ProcessEnv = process.env): string {
  const key = env[variable];
  const refuse = (what: string) =>
    new UserError(
      `${variable} ${what}`,
      `Set ${variable} to the endpoint's key; any text will do for an endpoint that wants none.`,
    );
  if (key === undefined) throw refuse('is not set');
  if (key.trim() === '') throw refuse('is empty');
  if (/^(["']).*\1$/s.test(key)) throw refuse('stands in quotes, which are taken for a part of it');
  if (/[\r\n]/.test(key)) throw refuse('has a line break in it');
  if (/\s/.test(key)) throw refuse('has blanks in it');
  if (/[^\x21-\x7e]/.test(key)) throw refuse('has characters in it that no key has');
  if (PLACEHOLDERS.some((form) => form.test(key))) throw refuse('is a placeholder, not a key');
  return key;
}

/** The body of a 200, or null of an endpoint without a list; or what is wrong, and where the endpoint sends on to. */
type Answer = string | null | { fault: LlmError; location: string | null };

const TRIES = 3;
const TIMEOUT_MS = 15_000;
/** Waits before the second and the third try; what the endpoint asks for instead is followed up to the limit. */
const WAITS_MS = [500, 2_000];
const LONGEST_WAIT_MS = 10_000;
/** Far above ten thousand models with all that gateways tell about them. */
const LONGEST_LIST = 32 << 20;
const LONGEST_NAME = 200;
const SHOWN = 20;
/** A version in the path, as in `/v1`, `/api/v3`, `/v1beta/openai`. */
const VERSION = /\/v\d+[a-z0-9]*(\/|$)/i;

async function askPatiently(options: PreflightOptions): Promise<string | null> {
  const sleep = options.sleep ?? ((ms: number) => new Promise((done) => setTimeout(done, ms)));
  for (let tried = 1; ; tried++) {
    const answer = await ask(options);
    if (answer === null || typeof answer === 'string') return answer;
    const { fault } = answer;
    // A connection that was refused, or no answer for so long, is not worth more of the user's time.
    const passing =
      fault.retryable && (fault.status !== null || (fault.fault === 'connection' && fault.billed));
    if (!passing || tried === TRIES) throw refusal(answer, options);
    await sleep(Math.min(fault.retryAfterMs ?? WAITS_MS[tried - 1] ?? 0, LONGEST_WAIT_MS));
  }
}

async function ask(options: PreflightOptions): Promise<Answer> {
  const { baseURL, apiKey, timeoutMs = TIMEOUT_MS } = options;
  try {
    const response = await (options.fetch ?? fetch)(`${baseURL}/models`, {
      headers: { authorization: `Bearer ${apiKey}`, accept: 'application/json' },
      // Calls are not sent on (a POST would become a GET), so the list must not be either.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return await readText(response, baseURL);
    const { status, headers } = response;
    const text = await errorBody(response, timeoutMs);
    // Some have no list; but who forgot the version gets the same answer, and would get it for every call.
    if ((status === 404 || status === 405) && VERSION.test(new URL(baseURL).pathname)) return null;
    return { fault: httpFault(status, headers, text), location: baseOf(headers.get('location'), baseURL) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    return { fault: connectionFault(error), location: null };
  }
}

/** The fault in words for the user, who knows the endpoint by two variables. */
function refusal(
  { fault, location }: Exclude<Answer, string | null>,
  { baseURL, keyVariable, urlVariable }: PreflightOptions,
): UserError {
  const named = (text: string) =>
    text.replace('the endpoint', () => `the endpoint ${baseURL}`).replace('the base URL', () => urlVariable);
  const says = (what: string, hint: string, exitCode: 2 | 4 = 2) =>
    new UserError(`the endpoint ${baseURL} ${what}`, hint, exitCode);

  const { status } = fault;
  if (status === null) {
    return new UserError(named(fault.message), named(fault.hint), fault.fault === 'bad-request' ? 2 : 4);
  }
  if (fault.retryable) {
    const what = fault.fault === 'busy' ? 'is busy' : 'is out of order';
    return says(`${what} (${status}, ${TRIES} times in a row)`, 'Try again later.', 4);
  }
  if (fault.fault === 'refused' && (status === 401 || status === 403)) {
    const hint = `Check that ${keyVariable} holds a key for this endpoint that is allowed to use it.`;
    return says(`refuses the key in ${keyVariable} (${status})`, hint);
  }
  if (fault.fault === 'refused') {
    const hint = 'Add credit to the account, or take another key.';
    return says(`has no credit left for the key in ${keyVariable} (${status})`, hint);
  }
  if (status < 400) {
    const hint = location === null ? `Correct ${urlVariable}.` : `Set ${urlVariable} to ${location}.`;
    return says(`sends on to another address (${status})`, hint);
  }
  if (status === 404 || status === 405) {
    return says(`has no list of models (${status})`, `Set ${urlVariable} to ${baseURL}/v1.`);
  }
  return says(`refuses to list its models (${status})`, `Check ${urlVariable} and ${keyVariable}.`);
}

async function readText(response: Response, baseURL: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    // Leaving the loop ends the connection.
    if (length > LONGEST_LIST) throw notCompatible(baseURL, 'its list of models does not end');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** The base URL that a redirection of its `/models` suggests, or null: no more of it is shown than that. */
function baseOf(location: string | null, baseURL: string): string | null {
  if (location === null || !URL.canParse(location, `${baseURL}/models`)) return null;
  const { protocol, origin, pathname } = new URL(location, `${baseURL}/models`);
  if (!/^https?:$/.test(protocol) || !/\/models\/?$/.test(pathname)) return null;
  const base = origin + pathname.replace(/\/models\/?$/, '');
  return base === baseURL ? null : base;
}

/** The names in a list of models; null where there is none, or it is empty. What has no name is passed over. */
function readList(text: string | null, { baseURL, apiKey }: PreflightOptions): string[] | null {
  if (text === null) return null;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    const html = /^\s*<(!doctype|html|head|body)/i.test(text);
    throw notCompatible(baseURL, html ? 'it answers with a web page' : 'its list of models is no JSON');
  }
  const record = typeof json === 'object' && json !== null ? (json as { data?: unknown }) : {};
  // Some give the bare list, and some null for an empty one.
  const list = Array.isArray(json) ? json : record.data;
  if (list === null) return null;
  if (!Array.isArray(list)) throw notCompatible(baseURL, 'its answer is no list of models');
  const names = new Set<string>();
  for (const entry of list) {
    const name: unknown = typeof entry === 'string' ? entry : entry?.id;
    // One that gives our key back as a name is not helped to have it printed.
    const odd = typeof name !== 'string' || name === '' || name.length > LONGEST_NAME;
    if (!odd && !(apiKey.length >= 8 && name.includes(apiKey))) names.add(name);
  }
  return names.size === 0 ? null : [...names];
}

function refuseMissing(listed: readonly string[], { baseURL, models }: PreflightOptions): void {
  const names = new Set(listed);
  const missing = [...new Set(models)].filter((model) => !serves(names, model));
  if (missing.length === 0) return;
  const printable = listed.map((name) => name.replace(/\p{C}/gu, '�'));
  const what = missing.map((model) => `"${model}"${didYouMean(model, printable)}`).join(', ');
  const more = listed.length > SHOWN ? ` and ${listed.length - SHOWN} more` : '';
  throw new UserError(
    `the endpoint ${baseURL} has no model ${what}`,
    `It has: ${printable.slice(0, SHOWN).join(', ')}${more}.`,
  );
}

/** Also by another name that endpoints take: with `models/` before it, a tag or variant behind it, or a `*` in the list. */
function serves(listed: ReadonlySet<string>, model: string): boolean {
  const names = [model, `models/${model}`, `${model}:latest`, model.replace(/:[^:/]*$/, '')];
  if (names.some((name) => listed.has(name))) return true;
  return [...listed].some((name) => name.endsWith('*') && model.startsWith(name.slice(0, -1)));
}

function notCompatible(baseURL: string, why: string): UserError {
  return new UserError(
    `${baseURL} is no OpenAI-compatible endpoint: ${why}`,
    'Give the base URL of its API, which often ends in /v1.',
  );
}

/** What stands in instructions instead of a key. */
const PLACEHOLDERS = [
  /\.\.\.|…/,
  /^<.*>$|^\[.*\]$|^\$|^\{.*\}$|^%.*%$/,
  /^(sk[-_])?(your|my|insert|put|enter|paste|replace|add)[-_].*(key|token|here|me)\b/i,
  /^(sk[-_])?(x{3,}|\*{3,}|_+|-+)$/i,
  /^(change[-_]?me|todo|replace[-_]?me|(api|openai|openai[-_]api)[-_]?key([-_]here)?)$/i,
];
