import type { Log } from "./observe/log.ts";

const forceAfterMs = 15_000;

/** Ends what was started, last first, once; a second signal or a stop that hangs ends the process at once. */
export class Lifecycle {
  readonly #log: Log;
  readonly #stops: { readonly name: string; readonly stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | null = null;

  constructor(log: Log) {
    this.#log = log;
  }

  onStop(name: string, stop: () => Promise<void> | void): void {
    this.#stops.push({ name, stop });
  }

  /** Signals, and the end of a parent that asked for it (a demo must not leave a server behind). */
  listen(): void {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (this.#stopping !== null) process.exit(1);
        void this.stop(0);
      });
    }
    process.on("uncaughtException", (error) => {
      this.#log("error", "An error nobody expected; stopping.", { stack: error.stack ?? String(error) });
      void this.stop(1);
    });
    process.on("unhandledRejection", (reason) => {
      const stack = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
      this.#log("error", "A promise failed unheard.", { stack });
    });
  }

  stop(code: number): Promise<void> {
    this.#stopping ??= this.#stopAll(code);
    return this.#stopping;
  }

  async #stopAll(code: number): Promise<void> {
    setTimeout(() => process.exit(code === 0 ? 1 : code), forceAfterMs).unref();
    for (const { name, stop } of this.#stops.reverse()) {
      try {
        await stop();
      } catch (error) {
        this.#log("warn", `Stopping ${name} failed.`, { error: String(error) });
      }
    }
    process.exit(code);
  }
}
