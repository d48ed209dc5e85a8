import { closeSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

/**
 * A watchdog of the kernel: once opened it resets the machine unless it is written to in time, also when this process is stopped or gone.
 * Source: Linux, "The Linux Watchdog driver API".
 */
export class Watchdog {
  /** After this long without a write the machine is reset, milliseconds. */
  readonly biteMs: number;
  readonly #device: string;
  #file: number | null = null;

  constructor(device: string, biteMs: number) {
    this.#device = device;
    this.biteMs = biteMs;
  }

  /** Arms it where it sleeps. @throws Error when the device can't be opened: somebody else may hold it. */
  feed(): void {
    this.#file ??= openSync(this.#device, "w");
    writeSync(this.#file, "\n");
  }

  /** Puts it to sleep, where the driver allows that: the letter before the close says that it is meant. */
  disarm(): void {
    if (this.#file === null) return;
    const file = this.#file;
    this.#file = null;
    try {
      writeSync(file, "V");
    } finally {
      closeSync(file);
    }
  }
}

/** The time that the kernel has set for this device, milliseconds. @throws Error that says how to name it */
export async function readBite(device: string): Promise<number> {
  const name = basename(device) === "watchdog" ? "watchdog0" : basename(device);
  const path = `/sys/class/watchdog/${name}/timeout`;
  const text = await readFile(path, "utf8").catch(() => null);
  const seconds = Number(text?.trim());
  if (text !== null && Number.isFinite(seconds) && seconds > 0) return seconds * 1_000;
  throw new Error(
    `the time after which ${device} resets the machine can't be read from ${path}; is its driver loaded? Otherwise name it with timeoutMs`,
  );
}
