import { type FileHandle, open, stat } from "node:fs/promises";
import { hasCode } from "../shared/durable-file.ts";
import { Repeater } from "../shared/repeater.ts";
import { LineSplitter } from "./line-splitter.ts";

const intervalMs = 500;
const chunkBytes = 64 * 1024;
/** Read in one turn; a file that grows faster is left behind, see `maxBehindBytes`. */
const turnBytes = 1024 * 1024;
const maxBehindBytes = 16 * 1024 * 1024;
const maxLineBytes = 16 * 1024;

export interface FileTailOptions {
  readonly path: string;
  onLines(lines: readonly string[]): void;
  /** Bytes that were passed over, since the file grows faster than it is read. */
  onSkipped(bytes: number): void;
  /** The file can't be read, in words; once until it can be again. */
  onTrouble(reason: string): void;
}

/**
 * Follows a log file as it grows: through rotation (another file under the name: the old one is read to its end first) and truncation
 * (from the beginning again). It begins at the end of a file that is there already, and at the beginning of one that appears later.
 */
export class FileTail {
  readonly #options: FileTailOptions;
  readonly #loop = new Repeater(intervalMs, () => this.read());
  readonly #splitter = new LineSplitter(maxLineBytes);
  #handle: FileHandle | null = null;
  #inode = 0n;
  #at = 0;
  #isFirst = true;
  #troubled = false;

  constructor(options: FileTailOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#close();
  }

  /** One turn: whatever is new. */
  async read(): Promise<void> {
    try {
      const named = await this.#statPath();
      if (this.#handle !== null && named?.ino !== this.#inode) {
        await this.#readOn();
        await this.#close();
      }
      if (this.#handle === null && named !== null) await this.#open();
      this.#isFirst = false;
      if (this.#handle !== null) await this.#readOn();
      this.#troubled = false;
    } catch (error) {
      await this.#close();
      if (!this.#troubled) this.#options.onTrouble(error instanceof Error ? error.message : String(error));
      this.#troubled = true;
    }
  }

  async #statPath(): Promise<{ readonly ino: bigint } | null> {
    try {
      return await stat(this.#options.path, { bigint: true });
    } catch (error) {
      if (hasCode(error, "ENOENT")) return null;
      throw error;
    }
  }

  async #open(): Promise<void> {
    this.#handle = await open(this.#options.path, "r");
    const { ino, size } = await this.#handle.stat({ bigint: true });
    this.#inode = ino;
    this.#at = this.#isFirst ? Number(size) : 0;
    this.#splitter.reset();
  }

  async #readOn(): Promise<void> {
    const handle = this.#handle;
    if (handle === null) return;
    const { size } = await handle.stat();
    if (size < this.#at) {
      this.#at = 0;
      this.#splitter.reset();
    }
    if (size - this.#at > maxBehindBytes) {
      const to = size - turnBytes;
      this.#options.onSkipped(to - this.#at);
      this.#at = to;
      this.#splitter.reset();
    }
    const buffer = Buffer.alloc(Math.min(chunkBytes, Math.max(1, size - this.#at)));
    for (let read = 0; read < turnBytes; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      read += bytesRead;
      const lines = this.#splitter.push(buffer.subarray(0, bytesRead));
      if (lines.length > 0) this.#options.onLines(lines);
    }
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close().catch(() => undefined);
  }
}
