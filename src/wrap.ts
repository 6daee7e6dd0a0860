/** Text on lines of at most `width` characters, cut at spaces; a longer word stands alone. */
export function lines(text: string, width: number): string[] {
  const found: string[] = [];
  for (const word of text.split(' ')) {
    const last = found.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      found[found.length - 1] = `${last} ${word}`;
    else found.push(word);
  }
  return found;
}

/**
 * Lines of progress on several where they are longer than a terminal of `columns`, or than 110; those that follow are
 * indented. Commands stay whole: what stands in backquotes, and a line that is indented itself. A terminal that does not
 * know how wide it is, or says that it is less than 40, counts as 110.
 */
export function wrapped(text: string, columns = MOST): string {
  const width = columns < 40 ? MOST : Math.min(MOST, columns);
  return text
    .split('\n')
    .map((line) => cut(line, width))
    .join('\n');
}

const MOST = 110;

function cut(line: string, width: number): string {
  if (line.length <= width || line.startsWith(' ')) return line;
  const whole = line.replace(/`[^`]*`/g, (command) => command.replaceAll(' ', '\0'));
  return lines(whole, width - 2)
    .join('\n  ')
    .replaceAll('\0', ' ');
}
