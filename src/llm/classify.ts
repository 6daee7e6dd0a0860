import { type Fault, LlmError } from './llm.ts';

const CHECK_KEY = 'Check the key: whether it is set, whole, of this provider, and has credit left.';
const CHECK_URL = 'Check the base URL: it ends where "/chat/completions" is to follow, most often in "/v1".';

/** Statuses after which a finished answer may have been lost, and charged for, on its way through a gateway. */
const MAYBE_BILLED = new Set([408, 502, 504, 520, 521, 522, 523, 524]);

/** The fault in an answer whose status is no success. `text` is the start of its body; headers go into no message. */
export function httpFault(status: number, headers: Headers, text: string, now = Date.now()): LlmError {
  const said = saidIn(text);
  const asked = retryAfterMs(headers, now) ?? waitIn(said.message);
  const fault = faultOf(status, said, asked !== null);
  const words = said.message ? `: ${said.message}` : '';
  return new LlmError(fault, `the endpoint answered ${status}${words}`, {
    status,
    retryAfterMs: asked,
    billed: MAYBE_BILLED.has(status),
    hint: hintOf(fault, status, said),
  });
}

/**
 * The fault in an error that came in a 200, as a body or in a stream. It may have been charged for, unless it turns the
 * request away before anything was said; `begun`: some of the reply had come. Its `status` is the one it names, else 200.
 */
export function errorObjectFault(error: unknown, begun = false): LlmError {
  const said = saidOf(error);
  const status = /^[45]\d\d$/.test(said.code) ? Number(said.code) : 0;
  const asked = waitIn(said.message);
  const named = status > 0 ? faultOf(status, said, asked !== null) : MINIMAX_CODES[said.code];
  const fault = named ?? faultByWords(said, asked !== null);
  return new LlmError(fault, `the endpoint answered with an error: ${said.message || 'it gave no reason'}`, {
    status: status || 200,
    retryAfterMs: asked,
    billed: begun || !TURNED_AWAY.has(said.code),
    hint: hintOf(fault, status, said),
  });
}

/** `base_resp.status_code` in a 200 (platform.minimax.io, error codes), and the codes that turn a request away unread. */
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
const TURNED_AWAY = new Set([
  ...['1002', '1004', '1008', '1039', '1041', '2013', '2049', '2056'],
  ...['400', '401', '402', '403', '404', '429'],
]);

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

/** As a code it is beyond doubt; as words it also stands in rate limits, which say when to come again. */
const QUOTA_CODE = /insufficient[_ ]quota/i;
const QUOTA =
  /insufficient[_ ](quota|(account )?balance|credit|fund)|(not enough|no) (balance|credit)|(credit )?balance is too low|exceeded your current quota/i;
const NO_CREDIT = /billing_hard_limit|credit balance/i;
/** A name stands between the two: else it may be a function, or a file, that is not found. */
const NO_MODEL =
  /model_not_(found|exist)|unknown model|not a valid model|\bmodel not exist|\bmodels?\b:? (named? |id )?(["'`][^"'`]{1,100}["'`]|\S*[-./:\d]\S*),? (is |was |could |can)?(does not exist|not (be )?found|not exist)/i;
/** The prompt is what is too long, and not the reply's bound or some field. */
const TOO_LONG =
  /context[_ ]length|context[_ ]window|maximum (context|prompt|input)|\b(prompt|input|request)( is| was)?( far| much)? too (long|large)\b|\b(prompt|input)\b.{0,40}\btokens?\b.{0,40}\b(too (long|large)|exceeds?\b.{0,20}\bmaximum)|too many (input |prompt )?tokens|maximum (number of )?(input|prompt) tokens|exceed(s|ed)?\b.{0,40}\bcontext|exceeded model token limit|range of input length/i;

function faultOf(status: number, said: Said, saysWhen: boolean): Fault {
  const words = `${said.code} ${said.type} ${said.message}`;
  if (status === 401 || status === 402 || status === 403) return 'refused';
  if (status === 429) return isQuota(said, saysWhen) ? 'refused' : 'busy';
  if (status === 404) return /model/i.test(words) ? 'unknown-model' : 'bad-request';
  if (status >= 500 || status === 408 || status === 409 || status === 425) return 'unavailable';
  if (NO_MODEL.test(words)) return 'unknown-model';
  if (NO_CREDIT.test(words)) return 'refused';
  if (status === 413 || ((status === 400 || status === 422) && TOO_LONG.test(words))) return 'too-long';
  return 'bad-request';
}

/** The same by words alone, where an error has no status. */
function faultByWords(said: Said, saysWhen: boolean): Fault {
  const words = `${said.code} ${said.type} ${said.message}`;
  if (isQuota(said, saysWhen) || /invalid[_ ]api[_ ]key|authenti|unauthori[sz]ed/i.test(words))
    return 'refused';
  if (saysWhen || /rate[_ ]?limit|too many requests/i.test(words)) return 'busy';
  if (TOO_LONG.test(words)) return 'too-long';
  if (/overloaded|server[_ ]error|internal|unavailable|time(d )?out/i.test(words)) return 'unavailable';
  return 'garbled';
}

/** Whether the account is empty, and not only the minute's share: whoever says when to come again is busy. */
function isQuota({ code, type, message }: Said, saysWhen: boolean): boolean {
  return QUOTA_CODE.test(`${code} ${type}`) || (!saysWhen && QUOTA.test(`${code} ${type} ${message}`));
}

const WAIT =
  /\b(?:re)?try(?:ing)? (?:your request )?(?:again )?(?:in|after) ((?:\d+(?:\.\d+)?\s?(?:ms|h|m|s|hours?|min(?:ute)?s?|sec(?:ond)?s?|milliseconds?)\b\s?|\d+[hm](?=\d))+)/i;

/** How long a message asks to wait ("Please try again in 1m12s"), ms; null where it does not. */
function waitIn(message: string): number | null {
  const told = WAIT.exec(message)?.[1];
  if (!told) return null;
  let ms = 0;
  for (const [, amount, unit] of told.matchAll(/(\d+(?:\.\d+)?)\s?(ms|mil|h|m|s)/gi)) {
    ms += Number(amount) * (unit === 'h' ? 3_600_000 : unit === 'm' ? 60_000 : unit === 's' ? 1000 : 1);
  }
  return Math.ceil(ms);
}

function hintOf(fault: Fault, status: number, said: Said): string {
  if (fault === 'refused') return CHECK_KEY;
  if (fault === 'unknown-model') return "Check the model's name against those that the endpoint lists.";
  if (fault !== 'bad-request') return '';
  if ((status >= 300 && status < 400) || status === 404 || status === 405) return CHECK_URL;
  if (/reasoning_content/i.test(said.message)) {
    return 'Say `thinking: send-back` of the model, under "models" in the config.';
  }
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
    code: String(record.code ?? record.status_code ?? '').slice(0, 100),
    type: String(record.type ?? '').slice(0, 100),
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
