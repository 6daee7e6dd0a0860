import { type Fault, LlmError } from './llm.ts';

const CHECK_KEY = 'Check the key: whether it is set, whole, of this provider, and has credit left.';
const CHECK_URL = 'Check the base URL: it ends where "/chat/completions" is to follow, most often in "/v1".';

/** Statuses after which a finished answer may have been lost, and charged for, on its way through a gateway. */
const MAYBE_BILLED = new Set([408, 502, 504, 520, 521, 522, 523, 524]);

/** The fault in an answer whose status is no success. `text` is the start of its body; headers go into no message. */
export function httpFault(status: number, headers: Headers, text: string, now = Date.now()): LlmError {
  const said = saidIn(text);
  const fault = faultOf(status, said);
  const words = said.message ? `: ${said.message}` : '';
  return new LlmError(fault, `the endpoint answered ${status}${words}`, {
    retryAfterMs: retryAfterMs(headers, now),
    billed: MAYBE_BILLED.has(status),
    hint: hintOf(fault, status, said),
  });
}

/** The fault in an error that came in a 200, as a body or in the middle of a stream: it may have been charged for. */
export function errorObjectFault(error: unknown): LlmError {
  const said = saidOf(error);
  const status = /^[45]\d\d$/.test(said.code) ? Number(said.code) : 0;
  const fault = status > 0 ? faultOf(status, said) : (MINIMAX_CODES[said.code] ?? faultByWords(said));
  return new LlmError(fault, `the endpoint answered with an error: ${said.message || 'it gave no reason'}`, {
    billed: !TURNED_AWAY.has(said.code),
    hint: hintOf(fault, status, said),
  });
}

/** `base_resp.status_code` in a 200 (platform.minimax.io, error codes), and those that turn a request away unread. */
const MINIMAX_CODES: Record<string, Fault> = {
  1000: 'unavailable',
  1001: 'unavailable',
  1002: 'busy',
  1004: 'refused',
  1008: 'refused',
  1024: 'unavailable',
  1033: 'unavailable',
  1039: 'too-long',
  1041: 'busy',
  2013: 'bad-request',
  2049: 'refused',
  2056: 'refused',
};
const TURNED_AWAY = new Set(['1002', '1004', '1008', '1039', '1041', '2013', '2049', '2056']);

/**
 * How long the endpoint asks to wait, ms, from `retry-after-ms` or `Retry-After` (seconds, or an HTTP date); null
 * where it does not say, or says what cannot be waited. Large values are the caller's to judge.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const ms = headers.get('retry-after-ms');
  if (ms !== null && isNumber(ms)) return atLeast0(Number(ms));
  const after = headers.get('retry-after')?.trim();
  if (!after) return null;
  if (isNumber(after)) return atLeast0(Number(after) * 1000);
  // A negative number must not be read as a year.
  const date = /[a-z]/i.test(after) ? Date.parse(after) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text.trim());
}

function atLeast0(ms: number): number | null {
  return ms >= 0 ? Math.round(ms) : null;
}

/** What an endpoint says in an error, wherever it puts it. */
type Said = { message: string; code: string; type: string };

const QUOTA = /insufficient[_ ](quota|balance|credit|fund)|billing|\bbalance\b|exceeded your current quota/i;
const NO_CREDIT = /billing_hard_limit|credit balance/i;
const NO_MODEL =
  /model_not_found|unknown model|not a valid model|model\b.{0,80}\b(does not exist|not found)/i;
const TOO_LONG =
  /context[_ ]length|context[_ ]window|maximum context|(prompt|input|request)\b.{0,40}\btoo (long|large)|too many (input )?tokens|maximum (number of )?(input |prompt )?tokens|exceeds?.{0,40}context/i;

function faultOf(status: number, said: Said): Fault {
  const words = `${said.code} ${said.type} ${said.message}`;
  if (status === 401 || status === 402 || status === 403) return 'refused';
  if (status === 429) return QUOTA.test(words) ? 'refused' : 'busy';
  if (status === 404) return /model/i.test(words) ? 'unknown-model' : 'bad-request';
  if (status >= 500 || status === 408 || status === 409 || status === 425) return 'unavailable';
  if (NO_MODEL.test(words)) return 'unknown-model';
  if (NO_CREDIT.test(words)) return 'refused';
  if (status === 413 || ((status === 400 || status === 422) && TOO_LONG.test(words))) return 'too-long';
  return 'bad-request';
}

/** The same by words alone, where an error has no status. */
function faultByWords(said: Said): Fault {
  const words = `${said.code} ${said.type} ${said.message}`;
  if (QUOTA.test(words) || /invalid[_ ]api[_ ]key|authenti|unauthori[sz]ed/i.test(words)) return 'refused';
  if (/rate[_ ]?limit|too many requests/i.test(words)) return 'busy';
  if (TOO_LONG.test(words)) return 'too-long';
  if (/overloaded|server[_ ]error|internal|unavailable|time(d )?out/i.test(words)) return 'unavailable';
  return 'garbled';
}

function hintOf(fault: Fault, status: number, said: Said): string {
  if (fault === 'refused') return CHECK_KEY;
  if (fault === 'unknown-model') return "Check the model's name against those that the endpoint lists.";
  if (fault !== 'bad-request') return '';
  if ((status >= 300 && status < 400) || status === 404 || status === 405) return CHECK_URL;
  return /unsupported|not support/i.test(`${said.code} ${said.message}`)
    ? 'Say under "models" in the config which parameters the model takes.'
    : '';
}

function saidIn(text: string): Said {
  try {
    return saidOf(JSON.parse(text));
  } catch {
    const page = /<(!doctype|html|head|body)/i.test(text);
    return { message: page ? 'a page of HTML' : oneLine(text), code: '', type: '' };
  }
}

/** Members by the names in use: `error` (a record or a text), `message`, `detail`, and `base_resp` (MiniMax). */
function saidOf(value: unknown): Said {
  if (typeof value === 'string') return { message: oneLine(value), code: '', type: '' };
  if (value === null || typeof value !== 'object') return { message: '', code: '', type: '' };
  const record = value as Record<string, unknown>;
  const inner = record.error ?? record.base_resp;
  if (inner !== undefined && inner !== null) return saidOf(inner);
  const message = record.message ?? record.detail ?? record.status_msg ?? '';
  return {
    message: oneLine(typeof message === 'string' ? message : JSON.stringify(message)),
    code: String(record.code ?? record.status_code ?? ''),
    type: String(record.type ?? ''),
  };
}

/** One line of at most 300 characters, with neither tags nor what looks like a key (endpoints quote it). */
function oneLine(text: string): string {
  const line = text
    .slice(0, 4000)
    .replace(/<[^>]{0,400}>/g, ' ')
    .replace(/\b(sk|key|eyJ)[-_A-Za-z0-9*.]{12,}/g, '…')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they would reach a terminal
    .replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim();
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
