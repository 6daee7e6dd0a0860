/**
 * `make`, which depends on its arguments alone, with a memory of what it gave for those asked for of late: for at least
 * the last `most` different ones, for twice as many at most. All but the last argument hold no NUL.
 */
export function remembering<Args extends string[], T extends object | number | string>(
  most: number,
  make: (...args: Args) => T,
): (...args: Args) => T {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  return (...args) => {
    // A text alone is not copied: what is asked for again is often the same one, whose hash is known.
    const key = args.length === 1 ? args[0]! : args.join('\u0000');
    const known = young.get(key);
    if (known !== undefined) return known;
    const value = old.get(key) ?? make(...args);
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    return value;
  };
}
