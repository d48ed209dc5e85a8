import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { endianness } from "node:os";
import { dirname, join } from "node:path";
import { parseLsn } from "../../../server/core/replication/lsn.ts";
import { hasCode, readIfPresent, syncDirectory, writeDurably } from "../../shared/durable-file.ts";
import { replaceSettings } from "./conf-text.ts";
import type { RunAs } from "./processes.ts";

/** Where a timeline left its parent. */
export interface TimelineSwitch {
  readonly parent: number;
  readonly lsn: number;
}

/** The files of one PostgreSQL data directory. The agent may be root while PostgreSQL is not: what it writes is given to PostgreSQL's user. */
export class DataDirectory {
  readonly path: string;
  readonly #owner: RunAs | null;
  readonly #unfinishedMark: string;

  /**
   * `unfinishedMark`: a file outside the directory. Inside, `pg_rewind` would remove it while it works, and `pg_basebackup` wants the directory
   * empty.
   */
  constructor(path: string, owner: RunAs | null, unfinishedMark: string) {
    this.path = path;
    this.#owner = owner;
    this.#unfinishedMark = unfinishedMark;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** True when there is no database here: missing, empty, or a clone or rewind that did not finish. */
  async isEmpty(): Promise<boolean> {
    return (await readIfPresent(this.file("PG_VERSION"))) === null || (await this.isUnfinished());
  }

  /** A clone or rewind marks the directory before it changes anything, until it is whole. */
  async isUnfinished(): Promise<boolean> {
    return (await readIfPresent(this.#unfinishedMark)) !== null;
  }

  async majorVersion(): Promise<number | null> {
    const text = await readIfPresent(this.file("PG_VERSION"));
    return text === null ? null : Number.parseInt(text, 10);
  }

  /** Makes the directory, owned by PostgreSQL's user and closed to others, as PostgreSQL demands. */
  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    if (this.#owner) await chown(this.path, this.#owner.uid, this.#owner.gid);
    await chmod(this.path, 0o700);
  }

  /** Removes everything inside, not the directory itself (it may be a mount point). */
  async clear(): Promise<void> {
    for (const name of await readdir(this.path).catch(() => [])) {
      await rm(this.file(name), { recursive: true, force: true });
    }
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    await writeDurably(this.file(name), content, { mode: 0o600, owner: this.#owner });
  }

  async read(name: string): Promise<string | null> {
    return readIfPresent(this.file(name));
  }

  async remove(name: string): Promise<void> {
    await rm(this.file(name), { force: true });
  }

  async markUnfinished(): Promise<void> {
    await writeDurably(this.#unfinishedMark, `a clone or rewind is under way; ${this.path} is not a database yet\n`);
  }

  async unmarkUnfinished(): Promise<void> {
    await rm(this.#unfinishedMark, { force: true });
    await syncDirectory(dirname(this.#unfinishedMark));
  }

  async hasStandbySignal(): Promise<boolean> {
    return (await this.read("standby.signal")) !== null;
  }

  async setStandbySignal(wanted: boolean): Promise<void> {
    const present = await this.hasStandbySignal();
    if (wanted && !present) await this.write("standby.signal", "");
    if (!wanted && present) await this.remove("standby.signal");
    if (!wanted) await this.remove("recovery.signal");
  }

  /** Replaces settings in `postgresql.auto.conf`, which PostgreSQL reads last. Answers whether anything changed. */
  async writeSettings(settings: Readonly<Record<string, string | null>>): Promise<boolean> {
    const before = (await this.read("postgresql.auto.conf")) ?? "";
    const after = replaceSettings(before, settings);
    if (after === before) return false;
    await this.write("postgresql.auto.conf", after);
    return true;
  }

  /**
   * Where a primary was shut down cleanly: its timeline, and a position that only who holds its last checkpoint has reached (one byte into that
   * record). Null when it ended otherwise, or was a standby. Source: PostgreSQL, `ControlFileData`: `state` at byte 16 (1 = shut down),
   * `checkPoint` at 32, `checkPointCopy.ThisTimeLineID` at 48, the same since version 11.
   */
  async shutdownPosition(): Promise<{ readonly timeline: number; readonly lsn: number } | null> {
    const control = await readFile(this.file("global/pg_control")).catch(() => null);
    if (control === null || control.length < 52 || nativeUint32(control, 16) !== 1) return null;
    const [low, high] = endianness() === "LE" ? [32, 36] : [36, 32];
    const lsn = nativeUint32(control, high) * 0x1_0000_0000 + nativeUint32(control, low) + 1;
    return { timeline: nativeUint32(control, 48), lsn };
  }

  /**
   * The system identifier, the same on every member of one cluster; null when the control file can't be read.
   * Source: PostgreSQL, `ControlFileData`: `system_identifier` is the first field.
   */
  async systemId(): Promise<string | null> {
    const control = await readFile(this.file("global/pg_control")).catch(() => null);
    if (control === null || control.length < 8) return null;
    return (endianness() === "LE" ? control.readBigUInt64LE(0) : control.readBigUInt64BE(0)).toString();
  }

  /**
   * Reserves timeline numbers: PostgreSQL takes the first one after `current` that has no history file. Two histories must never share a
   * number. The placeholders are empty, which no real history is.
   */
  async reserveTimelines(current: number, next: number): Promise<void> {
    for (let timeline = current + 1; timeline < Math.min(next, current + maxReserved); timeline += 1) {
      const name = join("pg_wal", `${hex8(timeline)}.history`);
      if ((await this.read(name)) === null) await this.write(name, "");
    }
  }

  /**
   * Takes away placeholders that no promotion followed: a server that starts in recovery would look for their WAL. Those below a real history
   * stay: standbys ask for every number up to the newest one.
   */
  async removeReservations(): Promise<void> {
    const names = (await readdir(this.file("pg_wal")).catch(() => [])).filter((name) =>
      /^[0-9A-F]{8}\.history$/.test(name),
    );
    for (const name of names.sort().reverse()) {
      if ((await this.read(join("pg_wal", name))) !== "") return;
      await this.remove(join("pg_wal", name));
    }
  }

  /** Where this timeline left its parent, by its history file; null when there is none. */
  async timelineSwitch(timeline: number): Promise<TimelineSwitch | null> {
    return parseHistory(await this.read(join("pg_wal", `${hex8(timeline)}.history`)));
  }

  /** The highest timeline that has a WAL file holding this position. */
  async timelineAt(lsn: number, segmentBytes: number): Promise<number | null> {
    const suffix = segmentSuffix(Math.floor(Math.max(0, lsn - 1) / segmentBytes), segmentBytes);
    let highest: number | null = null;
    for (const name of await this.walFiles()) {
      if (name.slice(8) === suffix) highest = Math.max(highest ?? 0, Number.parseInt(name.slice(0, 8), 16));
    }
    return highest;
  }

  /** Names of the WAL segments present. */
  async walFiles(): Promise<readonly string[]> {
    const names = await readdir(this.file("pg_wal")).catch(() => []);
    return names.filter((name) => /^[0-9A-F]{24}$/.test(name));
  }

  /** WAL segment size, by the size of a segment present; 16 MiB when there is none. */
  async segmentBytes(): Promise<number> {
    const [name] = await this.walFiles();
    if (name === undefined) return 16 * 1024 * 1024;
    try {
      return (await stat(this.file(join("pg_wal", name)))).size;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return 16 * 1024 * 1024;
      throw error;
    }
  }

  /** Moves a file of the directory aside under another name; false when it is not there. */
  async moveAside(name: string, to: string): Promise<boolean> {
    try {
      await rename(this.file(name), this.file(to));
      return true;
    } catch (error) {
      if (hasCode(error, "ENOENT")) return false;
      throw error;
    }
  }
}

const maxReserved = 64;

function nativeUint32(buffer: Buffer, offset: number): number {
  return endianness() === "LE" ? buffer.readUInt32LE(offset) : buffer.readUInt32BE(offset);
}

export function hex8(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}

/** The last 16 digits of a segment's file name. Source: PostgreSQL, `XLogFileName`. */
export function segmentSuffix(segment: number, segmentBytes: number): string {
  const perId = 0x1_0000_0000 / segmentBytes;
  return hex8(Math.floor(segment / perId)) + hex8(segment % perId);
}

/** The last line of a history file: `parent<TAB>lsn<TAB>reason`. */
export function parseHistory(text: string | null): TimelineSwitch | null {
  const lines = (text ?? "").split("\n").filter((line) => /^\s*\d+\s/.test(line));
  const [parent, position] = (lines.at(-1) ?? "").trim().split(/\s+/);
  const lsn = parseLsn(position);
  return parent === undefined || lsn === null ? null : { parent: Number(parent), lsn };
}
