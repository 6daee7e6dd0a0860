import { afterAll, beforeAll } from 'vitest';
import { type Answered, type ModelServer, serveOffline } from '../../src/offline/serve.ts';

/** The offline model, served while the tests of the file that calls this run. */
export function served() {
  const answered: Answered[] = [];
  let server: ModelServer;
  beforeAll(async () => {
    server = await serveOffline({ onRequest: (one) => answered.push(one) });
  });
  afterAll(() => server.close());

  const get = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
  return {
    /** Known once the tests run. */
    url: () => server.url,
    /** What was answered so far, in order. */
    answered,
    get,
    /** Asks for a completion; a text goes as it is. */
    post: (body: unknown, headers: Record<string, string> = {}) =>
      get('/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
}
