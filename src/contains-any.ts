/**
 * Tells whether a text holds any of the needles, each of at least two characters. It looks at every few characters only
 * (S. Wu and U. Manber, "A fast algorithm for multi-pattern searching", 1994, with blocks of two), so that a hundred
 * needles cost little more than one.
 */
export function containsAny(needles: readonly string[]): (text: string) => boolean {
  if (needles.length === 0) return () => false;
  // Only the first `width` characters of each needle decide how far the window may move.
  const width = Math.min(...needles.map((needle) => needle.length), 256);
  const shifts = new Uint8Array(1 << 16).fill(width - 1);
  const endingIn = new Map<number, string[]>();
  for (const needle of needles) {
    for (let end = 1; end < width; end++) {
      const block = blockAt(needle, end);
      shifts[block] = Math.min(shifts[block]!, width - 1 - end);
    }
    const last = blockAt(needle, width - 1);
    endingIn.set(last, [...(endingIn.get(last) ?? []), needle]);
  }
  return (text) => {
    for (let end = width - 1; end < text.length; ) {
      const block = blockAt(text, end);
      const shift = shifts[block]!;
      if (shift === 0 && endingIn.get(block)?.some((needle) => text.startsWith(needle, end - width + 1))) {
        return true;
      }
      end += shift || 1;
    }
    return false;
  };
}

/** The two characters that end at `end`, as a number of 16 bits; different ones may share it. */
function blockAt(text: string, end: number): number {
  return ((text.charCodeAt(end - 1) * 211) ^ text.charCodeAt(end)) & 0xffff;
}
