const newline = 0x0a;

/** Splits bytes into lines. A line longer than `maxBytes` is cut there; the rest of it is thrown away. */
export class LineSplitter {
  readonly #maxBytes: number;
  #rest = Buffer.alloc(0);
  #skipping = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const piece = chunk.subarray(from, end);
      if (!this.#skipping) lines.push(this.#complete(piece));
      this.#rest = Buffer.alloc(0);
      this.#skipping = false;
      from = end + 1;
    }
    if (this.#skipping) return lines;
    // A copy: what is kept must not hold the whole chunk.
    this.#rest = Buffer.concat([this.#rest, chunk.subarray(from, from + this.#maxBytes)]);
    if (this.#rest.length < this.#maxBytes) return lines;
    lines.push(this.#complete(Buffer.alloc(0)));
    this.#rest = Buffer.alloc(0);
    this.#skipping = true;
    return lines;
  }

  /** The file began anew. */
  reset(): void {
    this.#rest = Buffer.alloc(0);
    this.#skipping = false;
  }

  #complete(piece: Buffer): string {
    const whole = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    return whole.toString("utf8", 0, Math.min(whole.length, this.#maxBytes)).replace(/\r$/, "");
  }
}
