import { messageOf, UserError } from '../errors.ts';
import { OFFLINE_MODEL } from '../offline/offline-llm.ts';
import { type ModelServer, serveOffline } from '../offline/serve.ts';
import type { Given } from '../settings.ts';
import { didYouMean } from '../suggest.ts';
import { type Context, EXIT } from './context.ts';

const DEFAULT_PORT = 8000;

/** `evolve model` with anything but an action that there is. Always throws `UserError`. */
export function refuseAction(action: string | undefined): never {
  const hint = '`evolve model serve` puts the offline model on a loopback port';
  if (action === undefined) throw new UserError('model: say what to do with it', hint);
  throw new UserError(`model: unknown action '${action}'${didYouMean(action, ['serve'])}`, hint);
}

/**
 * `evolve model serve`: the offline model as an OpenAI-compatible endpoint on loopback, until Ctrl-C or SIGTERM, which
 * is its ordinary end. Prints the base URL on stdout once it listens.
 */
export async function serve(flags: Given, context: Context): Promise<number> {
  const port = portOf(flags.port);
  const interrupted = context.endOfWatching();
  const server = await listen(port);
  const { url } = server;
  context.print(flags.json ? JSON.stringify({ url, models: [OFFLINE_MODEL] }, null, 2) : url);
  context.note('evolve: this is the offline model: a stand-in that plays a language model, and is none');
  context.note(`evolve: use it with OPENAI_BASE_URL=${url} OPENAI_API_KEY=none evolve …`);
  context.note('evolve: Ctrl-C ends it');
  await aborted(interrupted);
  await server.close();
  return EXIT.finished;
}

function portOf(given: unknown): number {
  const text = given === undefined ? String(DEFAULT_PORT) : String(given);
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return port;
  throw new UserError(
    `--port must be a whole number from 0 to 65535, not '${text.slice(0, 60)}'`,
    'for example: --port 8000, or --port 0 for any free one',
  );
}

async function listen(port: number): Promise<ModelServer> {
  try {
    return await serveOffline({ port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { EADDRINUSE: 'is in use', EACCES: 'is not for you to take' };
    throw new UserError(
      `port ${port} ${reasons[code ?? ''] ?? `cannot be had: ${messageOf(error)}`}`,
      'use another one, or --port 0 for any free one',
    );
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}
