import { existsSync } from 'node:fs';

/**
 * Values of secret variables never appear in what is written or sent: they are found by value, whatever brought them
 * there, and `[NAME]` stands in their place.
 *
 * Which variables: those handed to `protect`, and those of the environment whose name has a part such as KEY, TOKEN,
 * SECRET, PASSWORD, CREDENTIALS, AUTH, COOKIE or PRIVATE (`OPENAI_API_KEY`, `npm_config__authToken`; not `KEYBOARD`,
 * `TOKENIZERS_PARALLELISM`, `SSH_AUTH_SOCK`, `TOKEN_URL`). Of any variable, the password of an address (`https://user:password@host`).
 *
 * Which values: those that no text holds by chance. So none of fewer than 8 characters, no number or date, no path, and
 * no plain word or two (`none`, `not-needed`, `lm-studio`, `client_credentials`), which are letters in one case or with
 * a capital, 14 at most, joined by one separator: to take such a word out of every text would spoil what models read,
 * and it keeps nothing secret. Three words or more are a passphrase. This holds for variables handed to `protect`, too: `OPENAI_API_KEY=not-needed` is usual.
 * Once seen, a value stays protected in this process, also when its variable is changed or taken away.
 */

/** Adds variables by name, and looks at the environment anew: what was set since the last call is found from now on. */
export function protect(names: readonly string[]): void {
  for (const name of names) named.add(name);
  const before = known.size;
  for (const [name, value = ''] of Object.entries(process.env)) {
    if (named.has(name) || hasSecretName(name)) add(name, value);
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*?:([^/?#\s]+)@/i.exec(value)?.[1];
    if (password !== undefined) {
      add(name, password);
      add(name, decoded(password));
    }
  }
  if (finder === null || known.size > before) finder = makeFinder();
}

/**
 * The text with each secret value replaced by `[NAME]`: the value as it is, and as JSON, an address or base64 (also
 * with text around it) would write it. Where there is none it costs a tenth of a millisecond a megabyte for each form.
 */
export function redact(text: string): string {
  const { forms, pattern, nameOf } = current();
  // A regular expression takes longer to find none.
  if (!forms.some((form) => text.includes(form))) return text;
  return text.replace(pattern, (form) => `[${nameOf.get(form)}]`);
}

/** `redact` on every text in plain data, member names included. The very same object where nothing changed. */
export function redactDeep<T>(value: T): T {
  return redactAny(value) as T;
}

/** The variables whose values are protected now, sorted; never the values. */
export function secretNames(): string[] {
  current();
  return [...new Set(known.values())].sort();
}

type Finder = {
  /** Every form of every value, longest first. */
  forms: string[];
  pattern: RegExp;
  nameOf: Map<string, string>;
};

const named = new Set<string>();
/** Name by value; what two variables share goes by the first. */
const known = new Map<string, string>();
/** Null until something is asked for. */
let finder: Finder | null = null;

function current(): Finder {
  if (finder === null) protect([]);
  return finder ?? makeFinder();
}

/** Parts that mean a secret, between separators, alone or with a number behind. */
const SECRET_PART =
  /(^|[^A-Z0-9])(KEYS?|AUTH|PRIVATE|PASS|PWD|PAT|CREDS?|COOKIES?|BEARER|DSN)\d*([^A-Z0-9]|$)/;
/** Those that also mean it at the end of a longer word: PGPASSWORD, AUTHTOKEN, MYAPIKEY. */
const SECRET_ENDING =
  /(TOKENS?|SECRETS?|PASSWORDS?|PASSWD|PASSPHRASE|CREDENTIALS?|(API|ACCESS|PRIVATE)KEYS?)\d*([^A-Z0-9]|$)/;
/** Endings that say where a secret is, whose, or of what kind. */
const NO_SECRET =
  /(SOCK|SOCKET|FILE|PATH|DIR|HOME|HOST|URLS?|URI|ENDPOINT|NAME|USER|EMAIL|TYPE|MODE|METHOD|ALGORITHM)$/;

export function hasSecretName(name: string): boolean {
  const upper = name.toUpperCase();
  if (upper === 'PWD' || upper === 'OLDPWD' || NO_SECRET.test(upper)) return false;
  return SECRET_PART.test(upper) || SECRET_ENDING.test(upper);
}

function add(name: string, whole: string): void {
  const value = whole.trim();
  // Of a key in several lines, each may be quoted alone; its frame (`-----BEGIN …`) is no secret.
  const lines = value.includes('\n') ? value.split('\n').map((line) => line.trim()) : [];
  for (const text of [value, ...lines.filter((line) => line.length >= 16 && !line.startsWith('-----'))]) {
    if (isSecretValue(text) && !known.has(text)) known.set(text, name);
  }
}

const PLAIN_WORDS = /^([A-Z]?[a-z]{1,13}|[A-Z]{1,14})([-_ .,:/]([A-Z]?[a-z]{1,13}|[A-Z]{1,14}))?$/;
const ONE_CHARACTER = /^(.)\1*$/;

function isSecretValue(value: string): boolean {
  return (
    value.length >= 8 &&
    ![PLAIN_WORDS, ONE_CHARACTER].some((form) => form.test(value)) &&
    !isQuantity(value) &&
    !isPath(value)
  );
}

/** A number, a date, an address of the network; sixteen digits are no quantity any more, but a token. */
function isQuantity(value: string): boolean {
  return /^[-+\d.,:/ TZe]+$/.test(value) && value.replace(/\D/g, '').length < 16;
}

/** Keys in base64 may begin with a slash, so the form alone does not make a path. */
function isPath(value: string): boolean {
  if (!/^(~?\/|\.{1,2}\/|[A-Za-z]:\\)/.test(value)) return false;
  return /[/\\][^/\\]*\.[a-z]{2,6}$/.test(value) || existsSync(value);
}

function makeFinder(): Finder {
  const nameOf = new Map<string, string>();
  for (const [value, name] of known) {
    for (const form of formsOf(value)) if (!nameOf.has(form)) nameOf.set(form, name);
  }
  const forms = [...nameOf.keys()].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const escaped = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return { forms, pattern: new RegExp(escaped.join('|') || '(?!)', 'g'), nameOf };
}

function formsOf(value: string): Set<string> {
  const json = inJson(value);
  const url = [encodeURIComponent(value), new URLSearchParams([['', value]]).toString().slice(1)];
  return new Set([
    value,
    json,
    // JSON inside JSON, as the arguments of a tool call travel; and as writers that keep to ASCII or escape slashes do.
    inJson(json),
    json.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`),
    json.replaceAll('/', '\\/'),
    ...url,
    ...url.map((text) => text.replace(/%../g, (code) => code.toLowerCase())),
    ...inBase64(value),
  ]);
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * The value in base64, alone and as what of it shows whatever stands around it: a byte is spread over two digits, so
 * the digits at the ends, shared with a neighbour, are left off, for each of the three places a group can begin.
 */
function inBase64(value: string): string[] {
  const bytes = Buffer.from(value);
  const alone = bytes.toString('base64');
  const inside = [0, 1, 2].map((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
  return [alone, ...inside].flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function redactAny(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(redactAny);
    return items.some((item, i) => !Object.is(item, value[i])) ? items : value;
  }
  let changed = false;
  const entries = Object.entries(value).map(([key, member]) => {
    const entry = [redact(key), redactAny(member)] as const;
    changed ||= entry[0] !== key || !Object.is(entry[1], member);
    return entry;
  });
  return changed ? Object.fromEntries(entries) : value;
}
