import { LlmError } from './llm.ts';

/** What to do about a base URL that no program can call. */
export const CHECK_SCHEME =
  'Check the base URL: it starts with "http://" or "https://", and some ports are closed to all programs.';

/**
 * The fault in what `fetch`, or the reading of its answer, rejects with. A connection that was never made has cost
 * nothing; one that broke may have. By the codes of the system alone: the messages of such errors may hold the key.
 */
export function connectionFault(error: unknown): LlmError {
  const { code, message } = deepest(error);
  if (/unknown scheme|bad port|invalid url|parse url/i.test(message)) {
    return new LlmError('bad-request', 'the base URL is none that can be called', { hint: CHECK_SCHEME });
  }
  const known = MEANINGS.find(({ codes }) => codes.test(code));
  const { words = `the request fails${code && ' (CODE)'}`, hint = 'Check the base URL and the network.' } =
    known ?? {};
  const never = known?.never ?? /before secure TLS|wrong version number|certificate/i.test(message);
  return new LlmError(
    known?.fault ?? 'connection',
    `the endpoint cannot be reached: ${words.replace('CODE', code)}`,
    { billed: !never, hint, cause: error },
  );
}

/** The system's code for what went wrong, such as ECONNRESET; '' where it has none. */
export function codeOf(error: unknown): string {
  return deepest(error).code;
}

/** What a code of the system means, and what to do; `never`: no connection was made. The first that fits counts. */
type Meaning = { codes: RegExp; words: string; hint?: string; never?: true; fault?: 'timeout' };

const MEANINGS: readonly Meaning[] = [
  {
    codes: /^ECONNREFUSED$/,
    words: 'the connection is refused',
    hint: 'Check the base URL, and that the server runs.',
    never: true,
  },
  { codes: /^ENOTFOUND$/, words: 'no such host', never: true },
  { codes: /^EAI_/, words: 'the name of the host cannot be looked up now', never: true },
  { codes: /^(EHOST|ENET|EADDRNOTAVAIL)/, words: 'no way leads to the host', never: true },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_/,
    words: 'its certificate is not accepted (CODE)',
    hint: 'Check the base URL; for a certificate authority of your own set NODE_EXTRA_CA_CERTS.',
    never: true,
  },
  {
    codes: /^(ERR_SSL|ERR_TLS|EPROTO)/,
    words: 'TLS fails (CODE)',
    hint: 'Check the base URL: a server without TLS is reached by http://.',
    never: true,
  },
  { codes: /^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, words: 'no answer in time', never: true },
  { codes: /timeout/i, words: 'no answer in time', fault: 'timeout' },
  { codes: /^HPE_/, words: 'it does not speak HTTP (CODE)' },
  {
    codes: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    words: 'the connection was cut',
    hint: 'Check the base URL (is it https://?), or try again later.',
  },
];

/** The innermost cause that has a code: `fetch` wraps what happened. A signal's time-out has its name alone. */
function deepest(error: unknown): { code: string; message: string } {
  let found = { code: '', message: error instanceof Error ? error.message : String(error) };
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    const { name, code } = at as { name: string; code?: unknown };
    const told = typeof code === 'string' ? code : name === 'TimeoutError' ? name : '';
    if (told !== '' || found.code === '') found = { code: told, message: at.message };
    at = at.cause;
  }
  return found;
}
