import { UserError } from '../errors.ts';

/** The value of `--repeats`, a whole number from 1 to 1000; throws a `UserError` for what is none. */
export function readRepeats(given: unknown): number {
  const repeats = /^\+?\d+$/.test(String(given)) ? Number(given) : Number.NaN;
  if (repeats >= 1 && repeats <= 1000) return repeats;
  throw new UserError(
    `--repeats must be a whole number from 1 to 1000, not '${given}'`,
    'for example: --repeats 3',
  );
}
