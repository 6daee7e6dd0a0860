import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { evolve } from './evolve.ts';

/** Serves until the base URL is printed, lets `use` have it, then sends the signal. */
function serve(
  args: string[],
  signal: NodeJS.Signals,
  use: (stdout: string) => Promise<void> = async () => {},
) {
  let failure: unknown;
  const onText = (child: ChildProcess) => {
    let stdout = '';
    child.stdout?.on('data', async (text: string) => {
      stdout += text;
      if (!/\/v1"?[\s\S]*\n$/.test(stdout)) return;
      await use(stdout).catch((error) => {
        failure = error;
      });
      child.kill(signal);
    });
  };
  return evolve(['model', 'serve', ...args], {}, onText).then((ran) => {
    if (failure) throw failure;
    return ran;
  });
}

test('model serve prints its base URL, answers there, and ends in good order with connections open', async () => {
  let url = '';
  const { code, stdout, stderr } = await serve(['--port', '0'], 'SIGINT', async (text) => {
    url = text.trim();
    // The connection stays open: nobody closes it but the server.
    const models = (await (await fetch(`${url}/models`)).json()) as { data: { id: string }[] };
    expect(models.data.map(({ id }) => id)).toEqual(['offline']);
    const answer = await fetch(`${url}/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'offline', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    expect(await answer.json()).toMatchObject({ object: 'chat.completion', model: 'offline' });
  });
  expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\n$/);
  expect(stderr).toContain(`OPENAI_BASE_URL=${url} OPENAI_API_KEY=none evolve`);
  expect(stderr).toMatch(/stand-in/);
  expect(code).toBe(0);
  await expect(fetch(`${url}/models`)).rejects.toThrow();
});

test('model serve --json prints one document; SIGTERM ends it too', async () => {
  const { code, stdout } = await serve(['--port', '0', '--json'], 'SIGTERM');
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
    models: ['offline'],
  });
});

test('a port in use is refused', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => other.once('listening', done));
  const { port } = other.address() as { port: number };
  try {
    const { code, stdout, stderr } = await evolve(['model', 'serve', '--port', String(port)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toBe(`evolve: port ${port} is in use; use another one, or --port 0 for any free one\n`);
  } finally {
    await new Promise((done) => other.close(done));
  }
});

test.each([
  [['serve', '--port', 'http'], /^evolve: --port must be a whole number from 0 to 65535, not 'http'; /],
  [['serve', '--port', '65536'], /from 0 to 65535, not '65536'/],
  [['serve', '--port=-1'], /from 0 to 65535, not '-1'/],
  [['serve', '--port', '80.5'], /from 0 to 65535, not '80.5'/],
  [['serve', '--host', '0.0.0.0'], /unknown option '--host'/],
  [['serve', 'now'], /too many arguments/],
  [[], /^evolve: model: say what to do with it; `evolve model serve` /],
  [['serv'], /^evolve: model: unknown action 'serv' \(did you mean "serve"\?\); `evolve model serve` /],
  [['foo', 'bar'], /^evolve: model: unknown action 'foo'; `evolve model serve` /],
])('model %j is refused in one line', async (args, line) => {
  const { code, stdout, stderr } = await evolve(['model', ...args]);
  expect(stderr).toMatch(line);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('model --help and model serve --help name the port and its default', async () => {
  expect((await evolve(['model', '--help'])).stdout).toMatch(/serve/);
  const { code, stdout } = await evolve(['model', 'serve', '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/--port <N> .*\(8000\)/);
});
