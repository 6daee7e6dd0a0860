/** The last bytes of a stream of output, in bounded memory. */
export class Tail {
  private chunks: Buffer[] = [];
  private held = 0;
  private seen = 0;

  /** Keeps `keep` bytes; after `most` bytes it takes no more, wherever the chunks happened to be cut. */
  constructor(
    private readonly keep: number,
    private readonly most: number,
  ) {}

  /** Takes a chunk; false when the stream has now given all that it may. */
  push(chunk: Buffer): boolean {
    const taken = chunk.subarray(0, Math.max(0, this.most - this.seen));
    this.seen += taken.length;
    if (taken.length > 0) this.chunks.push(taken);
    this.held += taken.length;
    if (this.held > 2 * this.keep + 65_536) this.trim();
    return this.seen < this.most;
  }

  /** The end of what came, at most `keep` bytes, cut at a character's beginning. */
  text(): string {
    this.trim();
    const bytes = this.chunks[0] ?? Buffer.alloc(0);
    let start = 0;
    while (this.seen > bytes.length && start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80)
      start++;
    return bytes.toString('utf8', start);
  }

  private trim(): void {
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    // A copy, so that a large chunk is not held for its small end.
    this.chunks = [all.length > this.keep ? Buffer.from(all.subarray(all.length - this.keep)) : all];
    this.held = (this.chunks[0] as Buffer).length;
  }
}
