/** Cuts a stream of output into its lines, in bounded memory. */
export class LineReader {
  private rest: Buffer[] = [];
  private held = 0;
  private tooLong = false;
  private returned = false;

  /**
   * `take` gets each complete line, without its end, and says whether it wants more; one of more than `longest` bytes is left
   * out. A line ends with a newline, or with a carriage return as progress bars do: `overwritten`.
   */
  constructor(
    private readonly take: (line: string, overwritten: boolean) => boolean,
    private readonly longest = 65_536,
  ) {}

  /** Takes a chunk; says how many of its bytes were wanted: all, or those up to the end of the last line that was. */
  push(chunk: Buffer): number {
    let begin = 0;
    let back = chunk.indexOf(carriageReturn);
    while (begin < chunk.length) {
      if (this.returned) {
        // With a newline behind it, it is one end, also where the chunk was cut in between.
        const isWhole = chunk[begin] === newline;
        if (isWhole) begin++;
        if (!this.give(!isWhole)) return begin;
        continue;
      }
      if (back >= 0 && back < begin) back = chunk.indexOf(carriageReturn, begin);
      const line = chunk.indexOf(newline, begin);
      const end = back >= 0 && (line < 0 || back < line) ? back : line;
      this.hold(chunk.subarray(begin, end < 0 ? chunk.length : end));
      begin = end < 0 ? chunk.length : end + 1;
      if (end >= 0 && end === back) this.returned = true;
      else if (end >= 0 && !this.give()) return begin;
    }
    return chunk.length;
  }

  /** The stream has ended: so has its last line. */
  end(): void {
    if (this.held > 0 || this.tooLong || this.returned) this.give(this.returned);
  }

  private hold(part: Buffer): void {
    if (part.length === 0 || this.tooLong) return;
    this.held += part.length;
    this.tooLong = this.held > this.longest;
    if (this.tooLong) this.rest = [];
    else this.rest.push(part);
  }

  private give(overwritten = false): boolean {
    const line = this.rest.length === 1 ? (this.rest[0] as Buffer) : Buffer.concat(this.rest);
    const { tooLong } = this;
    this.rest = [];
    this.held = 0;
    this.tooLong = false;
    this.returned = false;
    return tooLong || this.take(line.toString('utf8'), overwritten);
  }
}

const newline = 0x0a;
const carriageReturn = 0x0d;
