import { UserError } from '../errors.ts';

/**
 * The base URL of an OpenAI-compatible endpoint as people write it, without a slash at its end: what `/models` and
 * `/chat/completions` are put behind. `variable` is where it was read, for the message.
 * Throws a `UserError` that says what to write instead. A text that may hold a key is not repeated in it.
 */
export function readBaseURL(text: string, variable: string): string {
  const given = text.trim();
  if (given === '')
    throw new UserError(`${variable} is empty`, `Give the endpoint's base URL, such as ${EXAMPLE}.`);
  if (/[\s"'<>\\]/.test(given)) {
    throw new UserError(`${variable} is no address: it has blanks, quotes or the like in it`, example());
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme === undefined) throw noScheme(given, variable);
  if (scheme !== 'http' && scheme !== 'https') {
    throw new UserError(`${variable} begins with ${scheme}://, not with http:// or https://`, example());
  }
  // `http:///x` would be read as `http://x`.
  const url = /^[^/]+:\/\/[^/]/.test(given) && URL.canParse(given) ? new URL(given) : null;
  if (url === null) throw new UserError(`${variable} is no address`, example());
  if (url.username !== '' || url.password !== '') {
    throw new UserError(
      `${variable} holds a user name or a password`,
      'Take out all up to the @; keys come from the environment alone.',
    );
  }
  if (/[?#]/.test(given)) {
    throw new UserError(
      `${variable} has something behind a ? or #`,
      'Take that out, and the ? or # with it.',
    );
  }
  const path = url.pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  const base = withoutExtra(path);
  if (base !== path) {
    throw new UserError(
      `${variable} has a path too many: ${path.slice(base.length)}`,
      `Give ${url.origin}${base}.`,
    );
  }
  return url.origin + path;
}

/** Whether an address leads to this very machine, so that what is sent there does not leave it. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname;
  // Who connects to the address that means "all of mine" reaches the same machine.
  return /^(localhost|.+\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\])$/.test(
    host,
  );
}

const EXAMPLE = 'https://api.openai.com/v1';
/** What clients put behind the base by themselves. */
const ENDPOINTS = /\/(chat\/completions|completions|chat|models|responses|embeddings)(\/.*)?$/i;

/** The path up to where it says too much; the path itself where it does not. */
function withoutExtra(path: string): string {
  return path.replace(ENDPOINTS, '').replace(/(\/v\d+)\1+$/i, '$1');
}

/** Only what looks like a host is repeated: a key may have been put into the wrong variable. */
function noScheme(given: string, variable: string): UserError {
  const host = /^([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(\/[\w./~-]*)?$/i.exec(given)?.[1];
  const isHost =
    host !== undefined && (/^(localhost|\[.*\]|\d+(\.\d+){3})$/i.test(host) || /\.[a-z]{2,24}$/.test(host));
  if (!isHost) return new UserError(`${variable} is no address: it does not begin with https://`, example());
  const scheme = isLoopback(`http://${host}`) ? 'http' : 'https';
  const whole = `${scheme}://${given}`;
  const suggestion = URL.canParse(whole) ? whole.replace(/\/+$/, '') : EXAMPLE;
  return new UserError(`${variable} has no scheme: ${given}`, `Give ${suggestion}.`);
}

function example(): string {
  return `Give a base URL such as ${EXAMPLE}.`;
}
