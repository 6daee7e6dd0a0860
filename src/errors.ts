/**
 * An error that the user can mend: a bad file, a missing key, a run that another process writes.
 * `cli.ts` prints it as one line and the hint, without a stack, and exits with `exitCode`.
 */
export class UserError extends Error {
  override readonly name = 'UserError';

  constructor(
    message: string,
    /** What to do about it, one sentence. */
    readonly hint = '',
    /** 2: usage or invalid input; 4: inconclusive (infrastructure); 5: integrity failure. */
    readonly exitCode: 2 | 4 | 5 = 2,
  ) {
    super(message);
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
