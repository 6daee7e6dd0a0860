import { createServer } from 'node:net';

/**
 * A port that nobody listens on, nor is given by chance while a test leaves it free: below those from which Linux takes
 * one for whoever asks for any (`net.ipv4.ip_local_port_range`), as all other tests do.
 */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
