import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openaiLlm } from '../../src/llm/openai.ts';
import { patientFetch } from '../../src/llm/patient-fetch.ts';
import { REQUEST } from './hello.ts';

/** Answers that have not been given yet. */
let open: ServerResponse[] = [];
const server = createServer((req, res) => {
  req.resume();
  open.push(res);
});
// No connection is closed under a call because this process was held up for a few seconds.
server.keepAliveTimeout = 65_000;
let baseURL: string;
beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(async () => {
  vi.useRealTimers();
  open = [];
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const HOUR = 3_600_000;
const COMPLETION = JSON.stringify({
  choices: [{ message: { role: 'assistant', content: 'yes' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});
const arrived = async (count: number) => {
  while (open.length < count) await new Promise((resolve) => setImmediate(resolve));
};

it('a call waits as long as it was told to, and no longer', async () => {
  // The clock of the sockets is the real one.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const llm = openaiLlm({ baseURL, apiKey: 'none', totalMs: HOUR, idleMs: HOUR });
  const slow = llm(REQUEST);
  await arrived(1);
  await vi.advanceTimersByTimeAsync(0.4 * HOUR);
  open[0]!.write(COMPLETION.slice(0, 20));
  await new Promise((resolve) => setImmediate(resolve));
  await vi.advanceTimersByTimeAsync(0.4 * HOUR);
  open[0]!.end(COMPLETION.slice(20));
  expect(await slow).toMatchObject({ message: { content: 'yes' } });

  const late = expect(llm(REQUEST)).rejects.toMatchObject({ fault: 'timeout' });
  await arrived(2);
  await vi.advanceTimersByTimeAsync(HOUR);
  await late;
});

it('hundreds of calls go to one origin at once', async () => {
  const calls = Array.from({ length: 300 }, (_, i) =>
    patientFetch(`${baseURL}/${i}`, { method: 'POST', body: 'x' }),
  );
  await arrived(300);
  for (const res of open) res.end('ok');
  const texts = await Promise.all(calls.map(async (call) => await (await call).text()));
  expect(texts).toEqual(calls.map(() => 'ok'));
});
