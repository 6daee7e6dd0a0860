/** Why an endpoint cannot be reached, in words, what to do, and whether it may be better in a moment. */
export type Unreachable = { words: string; hint: string; passing: boolean };

/**
 * What is meant by what `fetch` threw, or the reading of its answer. By the codes of the system alone: the messages of
 * errors may hold the key. `urlVariable` is where the address was read.
 */
export function unreachable(error: unknown, urlVariable: string): Unreachable {
  const { name = '', cause } = (error ?? {}) as Error;
  const code = name === 'TimeoutError' ? name : String((cause as NodeJS.ErrnoException | null)?.code ?? '');
  const spelt = `Check ${urlVariable} and the network.`;
  const known = MEANINGS.find(({ codes }) => codes.test(code));
  if (known === undefined) {
    return { words: `the request fails${code && ` (${code})`}`, hint: spelt, passing: false };
  }
  const { words, hint = spelt, passing = false } = known;
  return {
    words: words.replace('CODE', code),
    hint: hint.replace('THE ADDRESS', urlVariable),
    passing,
  };
}

type Meaning = { codes: RegExp; words: string; hint?: string; passing?: boolean };

const MEANINGS: Meaning[] = [
  { codes: /^(TimeoutError|ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/, words: 'no answer in time' },
  {
    codes: /^ECONNREFUSED$/,
    words: 'the connection is refused',
    hint: 'Check THE ADDRESS, and that the server runs.',
  },
  { codes: /^ENOTFOUND$/, words: 'no such host' },
  { codes: /^EAI_/, words: 'the name of the host cannot be looked up now' },
  { codes: /^(EHOST|ENET)/, words: 'no way leads to the host' },
  {
    codes: /^(ERR_SSL|EPROTO)/,
    words: 'TLS fails (CODE)',
    hint: 'Check THE ADDRESS: a server without TLS is reached by http://.',
  },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/,
    words: 'its certificate is not accepted (CODE)',
    hint: 'Check THE ADDRESS; for a certificate authority of your own set NODE_EXTRA_CA_CERTS.',
  },
  { codes: /^HPE_/, words: 'it does not speak HTTP (CODE)' },
  {
    codes: /^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/,
    words: 'the connection was cut',
    hint: 'Check THE ADDRESS (is it https://?), or try again later.',
    passing: true,
  },
];
