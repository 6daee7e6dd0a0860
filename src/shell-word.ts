/** A word of a command that people may paste into a shell: in quotes where it is not plain, such as `'my runs/1'`. */
export function shellWord(word: string): string {
  if (/^[\p{L}\p{N}_@%+:,./][\p{L}\p{N}_@%+=:,./-]*$/u.test(word)) return word;
  // What looks like a flag is none after `./`.
  return `'${word.replace(/^-/, './-').replaceAll("'", "'\\''")}'`;
}
