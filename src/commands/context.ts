/** What a command gets from `cli.ts`, which owns the process. A command resolves with the exit code. */
export type Context = {
  /**
   * For work that can stop in good order, called once: the signal is aborted by the first Ctrl-C (or SIGTERM), and the
   * second ends the process at once. The work outlives its terminal (SIGHUP): Node undoes `nohup` as it starts.
   */
  interruption(): AbortSignal;
  /**
   * For commands that only show how something goes on, called once: the signal is aborted by the first Ctrl-C (or SIGTERM),
   * and when stdout can no longer be written.
   */
  endOfWatching(): AbortSignal;
  /** Data, to stdout; a newline is added. */
  print(text: string): void;
  /** Progress and warnings, to stderr; a newline is added. */
  note(text: string): void;
};

/** What people want to see of a run: one JSON document, no progress, or only the plan. */
export type Output = { json: boolean; quiet: boolean; dryRun: boolean };

/** Exit codes (DESIGN 9). */
export const EXIT = {
  finished: 0,
  internal: 1,
  usage: 2,
  limit: 3,
  inconclusive: 4,
  integrity: 5,
  interrupted: 130,
} as const;
