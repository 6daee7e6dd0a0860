/** A clock that stands still until it is told to go on, and sleeps that end by it. */
export function fakeClock() {
  let time = 0;
  const sleepers = new Set<{ until: number; wake(): void }>();
  return {
    now: () => time,
    /** Rejects when `signal` aborts, as the timers of Node do. */
    sleep: (ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        const sleeper = { until: time + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    sleeping: () => sleepers.size,
    /** Lets so many ms pass, waking sleepers in the order of their ends. */
    async advance(ms: number): Promise<void> {
      const end = time + ms;
      for (;;) {
        await settled();
        const next = [...sleepers].sort((a, b) => a.until - b.until)[0];
        if (!next || next.until > end) break;
        sleepers.delete(next);
        time = Math.max(time, next.until);
        next.wake();
      }
      time = end;
      await settled();
    },
  };
}

/** Resolves when all that can go on without time or I/O has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
