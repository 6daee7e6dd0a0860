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
 * A line of progress on several of at most 110 columns where it is longer; those that follow are indented. Commands
 * stay whole: what stands in backquotes, and a line that is indented itself.
 */
export function wrapped(line: string): string {
  if (line.length <= 110 || line.startsWith(' ')) return line;
  const whole = line.replace(/`[^`]*`/g, (command) => command.replaceAll(' ', '\0'));
  return lines(whole, 108).join('\n  ').replaceAll('\0', ' ');
}
