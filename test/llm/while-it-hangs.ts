import { vi } from 'vitest';

const real = setTimeout;

/**
 * Waits for calls to endpoints that hang, with a clock of its own for their time-outs: it goes on, `stepMs` at once, only
 * while `arrived` holds, so that a busy machine ends no call before its request has come to the server.
 */
export async function whileItHangs<T>(
  calls: () => Promise<T>,
  arrived: () => boolean,
  stepMs: number,
): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    let over = false;
    const ended = calls().finally(() => {
      over = true;
    });
    ended.catch(() => {});
    while (!over) {
      // What the network has brought meanwhile comes first.
      await new Promise((resolve) => real(resolve, 5));
      if (!over && arrived()) await vi.advanceTimersByTimeAsync(stepMs);
    }
    return await ended;
  } finally {
    vi.useRealTimers();
  }
}
