/** Waits for something that is away, a little longer each time. Times in ms. */
export type Patience = {
  /** It did not answer: how long to wait before it is asked again; null when that was too long. */
  failed(now: number, said: string): number | null;
  answered(now: number): void;
  /** Nothing is wanted of it for now, so nothing that it did not say counts any longer. */
  rest(): void;
  away(): boolean;
};

const LONGEST_MS = 60_000;

/** Tells `say` once that it is away, and once that it is back. */
export function patience(firstMs: number, mostMs: number, say: (line: string) => void): Patience {
  let since: number | null = null;
  let waitMs = firstMs;
  return {
    failed(now, said) {
      if (since === null) {
        since = now;
        say(`Slurm does not answer (${said}); jobs wait, for ${minutes(mostMs)} at most`);
      }
      if (now - since >= mostMs) return null;
      const wait = Math.min(waitMs, mostMs - (now - since));
      waitMs = Math.min(Math.max(firstMs, LONGEST_MS), 2 * waitMs);
      return wait;
    },
    answered(now) {
      if (since !== null) say(`Slurm answers again, after ${minutes(now - since)}`);
      since = null;
      waitMs = firstMs;
    },
    rest() {
      since = null;
      waitMs = firstMs;
    },
    away: () => since !== null,
  };
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.ceil(ms / 1000)} s` : `${Math.round(ms / 60_000)} minutes`;
}
