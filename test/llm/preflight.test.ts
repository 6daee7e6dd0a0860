import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { type PreflightOptions, preflight, readKey } from '../../src/llm/preflight.ts';
import { quietPort } from './quiet-port.ts';

const KEY = 'sk-canary-0a1b2c3d4e5f';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server on loopback that answers by `handlers`, one a request, the last for all that follow. */
async function serve(...handlers: Handler[]): Promise<{ root: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    const handler = handlers[Math.min(requests.length, handlers.length - 1)];
    requests.push(request);
    handler?.(request, response);
  });
  // No connection is closed under a request because this process was held up.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return { root: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const says =
  (status: number, body: string | object = '', headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const list = (...names: unknown[]): object => ({ object: 'list', data: names.map((id) => ({ id })) });

function options(baseURL: string, change: Partial<PreflightOptions> = {}): PreflightOptions {
  return {
    baseURL,
    apiKey: KEY,
    keyVariable: 'MY_KEY',
    urlVariable: 'MY_URL',
    models: ['m-1'],
    sleep: async () => {},
    ...change,
  };
}

/** What the user is told; never with the key. */
async function refusal(asked: PreflightOptions): Promise<UserError> {
  const error = await preflight(asked).then(
    () => expect.fail('it was accepted'),
    (it) => it,
  );
  expect(error).toBeInstanceOf(UserError);
  expect(error.message + error.hint).not.toContain(asked.apiKey);
  expect(error.message + error.hint).not.toContain('\n');
  expect(error.hint).not.toBe('');
  return error;
}

describe('an endpoint with a list', () => {
  it('is asked once, at the right place, with the key, and its models are given', async () => {
    const { root, requests } = await serve(says(200, list('m-1', 'm-2', 'm-1')));
    expect(await preflight(options(`${root}/v1`))).toEqual({ models: ['m-1', 'm-2'] });
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /v1/models']);
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it.each([
    ['a bare list', [{ id: 'm-1' }]],
    ['names alone', { data: ['m-1'] }],
    ['a folder before it', list('models/m-1')],
    ['a tag behind it', list('m-1:latest')],
    ['a pattern', list('m-*')],
  ])('may have %s', async (_, body) => {
    const { root } = await serve(says(200, body));
    expect((await preflight(options(`${root}/v1`))).models).toHaveLength(1);
  });

  it('may be asked for a variant of a model that it lists', async () => {
    const { root } = await serve(says(200, list('org/m-1')));
    expect((await preflight(options(`${root}/v1`, { models: ['org/m-1:free'] }))).models).toEqual([
      'org/m-1',
    ]);
  });

  it.each([
    ['empty', list()],
    ['null', { data: null }],
    [
      'of odd things',
      { data: [null, 1, [], {}, { id: 7 }, { id: '' }, { id: 'x'.repeat(10_000) }, { id: KEY }] },
    ],
  ])('that is %s has none to check against', async (_, body) => {
    const { root } = await serve(says(200, body));
    expect(await preflight(options(`${root}/v1`))).toEqual({ models: null });
  });

  it('names what is missing, the nearest, and what there is', async () => {
    const { root } = await serve(says(200, list('gpt-5', 'gpt-5-mini', 'embed\u001b[31m')));
    const error = await refusal(
      options(`${root}/v1`, { models: ['gpt5', 'gpt-5', 'nothing-like-it', 'gpt5'] }),
    );
    expect(error.message).toBe(
      `the endpoint ${root}/v1 has no model "gpt5" (did you mean "gpt-5"?), "nothing-like-it"`,
    );
    expect(error.hint).toBe('It has: gpt-5, gpt-5-mini, embed�[31m.');
    expect(error.exitCode).toBe(2);
  });

  it('of 10,000 models shows the first twenty', async () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `vendor/model-number-${i}`);
    const { root } = await serve(says(200, list(...names)));
    const error = await refusal(options(`${root}/v1`, { models: ['vendor/model-nummer-77'] }));
    expect(error.message).toContain('did you mean "vendor/model-number-77"?');
    expect(error.hint).toBe(`It has: ${names.slice(0, 20).join(', ')} and 9980 more.`);
  });
});

describe('an endpoint that refuses', () => {
  it.each([
    [401, /refuses the key in MY_KEY \(401\)$/, /MY_KEY/],
    [403, /refuses the key in MY_KEY \(403\)$/, /MY_KEY/],
    [402, /has no credit left for the key in MY_KEY \(402\)$/, /credit/],
    [400, /refuses to list its models \(400\)$/, /MY_URL/],
  ])('with %i, whatever it repeats', async (status, message, hint) => {
    const { root, requests } = await serve(says(status, { error: { message: `bad key ${KEY}` } }));
    const error = await refusal(options(`${root}/v1`));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`${root}/v1`);
    expect(error.hint).toMatch(hint);
    expect(error.exitCode).toBe(2);
    expect(requests).toHaveLength(1);
  });

  it.each([
    [429, { error: { code: 'insufficient_quota' } }],
    [429, { error: { message: 'Insufficient balance' } }],
    [400, { error: { code: 'billing_hard_limit_reached' } }],
  ])('with %i %j for want of credit is not asked again', async (status, body) => {
    const { root, requests } = await serve(says(status, body));
    expect((await refusal(options(`${root}/v1`))).message).toMatch(/no credit left/);
    expect(requests).toHaveLength(1);
  });

  it.each([404, 405])('with %i has no list, where a version stands in the address', async (status) => {
    const { root } = await serve(says(status, '<html>not here</html>'));
    for (const path of ['/v1', '/api/v3', '/v1beta/openai']) {
      expect(await preflight(options(root + path))).toEqual({ models: null });
    }
    const error = await refusal(options(`${root}/api`));
    expect(error.hint).toBe(`Set MY_URL to ${root}/api/v1.`);
    expect(error.exitCode).toBe(2);
  });

  it('sends on: the address to give is told, the key stays here', async () => {
    const { root, requests } = await serve(says(308, '', { location: '/gateway/v1/models?x=1' }));
    expect((await refusal(options(`${root}/v1`))).hint).toBe(`Set MY_URL to ${root}/gateway/v1.`);
    expect(requests).toHaveLength(1);
    const other = await serve(says(302, '', { location: `https://login.example.com/?next=${KEY}` }));
    expect((await refusal(options(`${other.root}/v1`))).hint).toBe('Correct MY_URL.');
  });
});

describe('what is no such endpoint', () => {
  it.each([
    ['a page', '<!DOCTYPE html><html></html>', /a web page$/],
    ['a text', 'hello', /no JSON$/],
    ['nothing', '', /no JSON$/],
    ['half a list', '{"data":[{"id":"m-1"', /no JSON$/],
    ['another record', { status: 'ok' }, /no list of models$/],
    ['a record that feigns one', { data: { length: 1e9 } }, /no list of models$/],
    ['null', 'null', /no list of models$/],
    ['a number', '17', /no list of models$/],
  ])('answers with %s', async (_, body, message) => {
    const { root } = await serve(says(200, body));
    const error = await refusal(options(`${root}/v1`));
    expect(error.message).toContain(`${root}/v1 is no OpenAI-compatible endpoint`);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(2);
  });

  it('sends without end', async () => {
    const { root } = await serve((_, response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1 << 20)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    expect((await refusal(options(`${root}/v1`))).message).toMatch(/does not end$/);
  });
});

describe('an endpoint in trouble', () => {
  it.each([
    ['429', says(429)],
    ['503', says(503, '<html>')],
    ['a reset', ((request) => request.socket.destroy()) as Handler],
    [
      'a cut body',
      ((_, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"data":[', () => response.destroy());
      }) as Handler,
    ],
  ])('%s, twice, then well again, is no fault', async (_, trouble) => {
    const { root, requests } = await serve(trouble, trouble, says(200, list('m-1')));
    expect(await preflight(options(`${root}/v1`))).toEqual({ models: ['m-1'] });
    expect(requests).toHaveLength(3);
  });

  it.each([
    [429, /is busy \(429, 3 times in a row\)$/],
    [500, /is out of order \(500, 3 times in a row\)$/],
    [529, /is out of order \(529/],
  ])('%i three times is one', async (status, message) => {
    const { root, requests } = await serve(says(status));
    const error = await refusal(options(`${root}/v1`));
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(4);
    expect(requests).toHaveLength(3);
  });

  it('is given the time that it asks for, within reason', async () => {
    const waits: number[] = [];
    const sleep = async (ms: number) => void waits.push(ms);
    const { root } = await serve(
      says(429, '', { 'retry-after': '3' }),
      says(503, '', { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT' }),
      says(200, list('m-1')),
    );
    await preflight(options(`${root}/v1`, { sleep }));
    expect(waits).toEqual([3000, 10_000]);
  });

  it.each<[string, Handler]>([
    ['never answers', () => {}],
    ['never ends its answer', (_, response) => void response.writeHead(200).write('{')],
  ])('%s: is given up', async (_, handler) => {
    const { root } = await serve(handler);
    const error = await refusal(options(`${root}/v1`, { timeoutMs: 100 }));
    expect(error.message).toMatch(/cannot be reached: no answer in time$/);
    expect(error.exitCode).toBe(4);
  });

  it('does not run', async () => {
    const root = `http://127.0.0.1:${await quietPort()}`;
    const error = await refusal(options(`${root}/v1`));
    expect(error.message).toBe(`the endpoint ${root}/v1 cannot be reached: the connection is refused`);
    expect(error.exitCode).toBe(4);
  });

  it('has no TLS', async () => {
    const { root } = await serve(says(200));
    const error = await refusal(options(`${root.replace('http:', 'https:')}/v1`));
    expect(error.message).toMatch(/cannot be reached: TLS fails/);
    expect(error.exitCode).toBe(4);
  });

  it('cannot be called at its port', async () => {
    const error = await refusal(options('http://127.0.0.1:1/v1'));
    expect(error.message).toBe('MY_URL is none that can be called');
    expect(error.hint).toMatch(/^Check MY_URL: .*ports/);
    expect(error.exitCode).toBe(2);
  });

  it('speaks something else', async () => {
    const server = createSocket((socket) => {
      socket.on('error', () => {}).resume();
      socket.end('SSH-2.0-OpenSSH\r\n');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    closers.push(() => new Promise((done) => server.close(done)));
    const error = await refusal(options(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`));
    expect(error.message).toMatch(/does not speak HTTP/);
    expect(error.exitCode).toBe(4);
  });

  it.each([
    ['ENOTFOUND', 'no such host'],
    ['EAI_AGAIN', 'the name of the host cannot be looked up now'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not accepted (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is not accepted (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['EODD', 'the request fails (EODD)'],
  ])('%s is said in words', async (code, words) => {
    // The form in which Node's fetch reports it; the message is not to be trusted with the key.
    const failing = () => {
      throw new TypeError(`fetch failed ${KEY}`, { cause: Object.assign(new Error(KEY), { code }) });
    };
    const error = await refusal(options('https://host/v1', { fetch: failing }));
    expect(error.message).toBe(`the endpoint https://host/v1 cannot be reached: ${words}`);
    expect(error.exitCode).toBe(4);
  });
});

describe('readKey', () => {
  it.each(['sk-proj-abc_DEF-123', 'none', 'x', 'ollama', 'eyJ.a.b==', '0000', 'your-own-brew', 'EMPTY'])(
    'takes %s',
    (key) => {
      expect(readKey('MY_KEY', { MY_KEY: key })).toBe(key);
    },
  );

  it.each([
    [undefined, /is not set$/],
    ['', /is empty$/],
    [' \n', /is empty$/],
    [`${KEY}\n`, /line break/],
    [`${KEY}\r\nX-Other: 1`, /line break/],
    [` ${KEY}`, /blanks/],
    [`Bearer ${KEY}`, /blanks/],
    [`"${KEY}"`, /quotes/],
    ['sk-schlüssel', /characters/],
    [`${KEY}\u0000`, /characters/],
    ['sk-...', /placeholder/],
    ['sk-…', /placeholder|characters/],
    ['your-key', /placeholder/],
    ['your_api_key_here', /placeholder/],
    ['YOUR-OPENAI-API-KEY', /placeholder/],
    ['sk-your-key-here', /placeholder/],
    ['<key>', /placeholder/],
    ['$OPENAI_API_KEY', /placeholder/],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would have replaced
    ['${OPENAI_API_KEY}', /placeholder/],
    ['sk-xxxxxxxx', /placeholder/],
    ['changeme', /placeholder/],
    ['OPENAI_API_KEY', /placeholder/],
  ])('refuses %j, and says what to do', (key, message) => {
    let error: unknown;
    try {
      readKey('MY_KEY', { MY_KEY: key });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UserError);
    const { message: said, hint } = error as UserError;
    expect(said).toMatch(/^MY_KEY /);
    expect(said).toMatch(message);
    expect(said + hint).not.toContain('canary');
    expect(hint).toContain('any text will do');
  });
});
