import { createHash } from 'node:crypto';

/** What JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Checks at compile time that `T` survives a JSON round trip; used on all that crosses a thread or a file. */
export type Wire<T> = T extends null | boolean | number | string
  ? T
  : T extends (infer Item)[]
    ? Wire<Item>[]
    : T extends (...args: never[]) => unknown
      ? never
      : T extends object
        ? { [Key in keyof T]: Wire<Exclude<T[Key], undefined>> }
        : T extends undefined
          ? undefined
          : never;

/** JSON with sorted keys and no spaces; equal values give equal text. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(value));
}

/** The first `length` hex digits of the SHA-256 of `text`. */
export function sha256(text: string | Uint8Array, length = 64): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** A short name for a value: the hash of its canonical JSON, 12 hex digits (48 bits) unless told otherwise. */
export function hashJson(value: unknown, length = 12): string {
  return sha256(canonicalJson(value), length);
}

/** `JSON.parse` for files that people write: its `Error` is one line, and says where the text breaks off being JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, ' ');
    const position = / at position (\d+)/.exec(message);
    if (position === null) throw new Error(`not JSON: ${message}`);
    const line = text.slice(0, Number(position[1])).split('\n').length;
    throw new Error(`line ${line}: not JSON: ${message.slice(0, position.index)}`);
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const record = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(record)
      .sort()
      .map((key) => [key, sorted(record[key])]),
  );
}
