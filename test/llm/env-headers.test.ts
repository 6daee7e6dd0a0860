import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openaiLlm } from '../../src/llm/openai.ts';

afterEach(() => vi.unstubAllEnvs());

/** The headers of one call, as the endpoint sees them. */
async function headersSent(envHeaders: boolean): Promise<IncomingHttpHeaders> {
  let seen: IncomingHttpHeaders = {};
  const server = createServer((request, response) => {
    seen = request.headers;
    response.writeHead(500).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  try {
    const ask = openaiLlm({ baseURL, apiKey: 'k', envHeaders });
    await ask({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }).catch(() => {});
  } finally {
    await new Promise((done) => server.close(done));
  }
  return seen;
}

test('what the environment says for one endpoint goes to no other', async () => {
  vi.stubEnv('OPENAI_ORG_ID', 'org-1');
  vi.stubEnv('OPENAI_PROJECT_ID', 'project-1');
  vi.stubEnv('OPENAI_CUSTOM_HEADERS', 'x-gateway-key: secret-1\nX-Team: seven');
  const own = { 'openai-organization': 'org-1', 'x-gateway-key': 'secret-1', 'x-team': 'seven' };
  expect(await headersSent(true)).toMatchObject({ ...own, authorization: 'Bearer k' });
  const other = await headersSent(false);
  expect(other.authorization).toBe('Bearer k');
  for (const name of [...Object.keys(own), 'openai-project']) expect(other).not.toHaveProperty(name);
});
