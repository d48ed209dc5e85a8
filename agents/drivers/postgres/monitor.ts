import { statfs } from "node:fs/promises";
import type { InDoubtTransaction, LocalProbe, ResponseTime } from "../../../server/core/index.ts";
import { hasCode } from "../../shared/durable-file.ts";
import { ProbeRecord } from "../../shared/probe-record.ts";
import { Repeater } from "../../shared/repeater.ts";
import { ResponseWindow } from "../../shared/response-window.ts";
import { monotonicMs, within } from "../../shared/time.ts";
import { InDoubtWatch } from "./in-doubt.ts";
import { SqlLink } from "./link.ts";
import { reasonOf, type SqlTarget } from "./sql.ts";
import {
  asNumber,
  asObject,
  asText,
  decodeStatus,
  heartbeatRow,
  identityQuery,
  loadQuery,
  responseQuery,
  type ServerStatus,
  statusQuery,
} from "./status-query.ts";

const statusIntervalMs = 250;
const statusDeadlineMs = 500;
const probeIntervalMs = 250;
const probeDeadlineMs = 500;
const syncProbeIntervalMs = 1_000;
const syncProbeDeadlineMs = 2_000;
const longestWaitMs = 2 ** 31 - 1;
const loadIntervalMs = 1_000;
const responseEveryProbes = 4;

/** SQLSTATE of a server that does not accept connections yet, or any more. */
const startingUp = "57P03";
const undefinedTable = "42P01";
const undefinedSchema = "3F000";
const diskFull = "53100";
/** With less room than this the next page is refused at any moment. */
const leastFreeBytes = 1024 * 1024;
/** Room that was there is asked for again after this; room that was not, at every probe. */
const roomLastsMs = 1_000;

export interface ServerIdentity {
  readonly systemId: string | null;
  readonly version: string | null;
  readonly versionNumber: number;
  readonly canRewind: boolean;
  readonly segmentBytes: number;
  /** Timeline by the control file, which lags behind on a standby. */
  readonly controlTimeline: number | null;
}

export interface ServerLoad {
  readonly connections: number | null;
  readonly prepared: number | null;
  readonly longestMs: number | null;
}

/**
 * Watches the agent's own server by SQL. Everything is asynchronous and has a deadline; a heartbeat reads what is known and never waits.
 * `onChange` is called when something worth an eager heartbeat happened.
 */
export class Monitor {
  readonly #node: string;
  readonly #dataDir: string;
  readonly #onChange: () => void;
  readonly #onClosed: () => void;
  readonly #onStatus: (status: ServerStatus) => void;
  readonly #statusLink: SqlLink;
  readonly #probeLink: SqlLink;
  readonly #syncLink: SqlLink;
  readonly #loops: readonly Repeater[];
  readonly #statusLoop: Repeater;
  readonly #probe = new ProbeRecord();
  readonly #syncProbe = new ProbeRecord();
  readonly #response = new ResponseWindow(60_000, 120);
  readonly #inDoubt: InDoubtWatch;
  #status: ServerStatus | null = null;
  #statusAtMs = 0;
  #identity: ServerIdentity | null = null;
  #load: ServerLoad = { connections: null, prepared: null, longestMs: null };
  #starting = false;
  #receiverKey = "";
  #receiverAdvancedMs: number | null = null;
  #probes = 0;
  #roomUntilMs = Number.NEGATIVE_INFINITY;
  #loadAtMs = 0;
  #heldSinceMs: number | null = null;

  constructor(options: {
    readonly node: string;
    readonly dataDir: string;
    readonly target: SqlTarget;
    readonly onChange: () => void;
    /** A local connection ended: the postmaster may be gone. */
    readonly onClosed: () => void;
    readonly onStatus: (status: ServerStatus) => void;
  }) {
    this.#node = options.node;
    this.#dataDir = options.dataDir;
    this.#onChange = options.onChange;
    this.#onClosed = options.onClosed;
    this.#onStatus = options.onStatus;
    const target = () => options.target;
    this.#inDoubt = new InDoubtWatch(options.target);
    this.#statusLink = new SqlLink(target, () => this.#onClosed());
    this.#probeLink = new SqlLink(target, () => this.#onClosed());
    this.#syncLink = new SqlLink(target);
    this.#statusLoop = new Repeater(statusIntervalMs, () => this.#collect());
    this.#loops = [
      this.#statusLoop,
      new Repeater(probeIntervalMs, () => this.#runProbe()),
      new Repeater(syncProbeIntervalMs, () => this.#runSyncProbe()),
    ];
  }

  /** Call when the server was started or found. */
  start(): void {
    this.#heldSinceMs = null;
    for (const loop of this.#loops) loop.start();
  }

  /** Call when the server hands over: what is known stays, nobody knocks at its door again, and it is no longer said to take writes. */
  hold(): void {
    this.#heldSinceMs = monotonicMs();
    for (const loop of this.#loops) loop.stop();
  }

  /** Call when the server is gone: forgets what was seen of it. */
  stop(): void {
    for (const loop of this.#loops) loop.stop();
    this.#heldSinceMs = null;
    for (const link of [this.#statusLink, this.#probeLink, this.#syncLink]) link.drop();
    this.#status = null;
    this.#identity = null;
    this.#starting = false;
    this.#receiverKey = "";
    this.#receiverAdvancedMs = null;
    this.#inDoubt.forget();
    this.#probe.reset();
    this.#syncProbe.reset();
  }

  /** Asks the server now: a verb has just changed something. */
  wake(): void {
    this.#statusLoop.wake();
  }

  get status(): ServerStatus | null {
    return this.#status;
  }

  get identity(): ServerIdentity | null {
    return this.#identity;
  }

  get load(): ServerLoad {
    return this.#load;
  }

  get inDoubt(): readonly InDoubtTransaction[] {
    return this.#inDoubt.transactions;
  }

  get starting(): boolean {
    return this.#starting;
  }

  /** Age of the last status, milliseconds; null when there is none. */
  statusAgeMs(nowMs: number): number | null {
    return this.#status === null ? null : nowMs - this.#statusAtMs;
  }

  probe(nowMs: number): LocalProbe {
    if (this.#heldSinceMs !== null)
      return { ok: false, ms: null, failingForMs: nowMs - this.#heldSinceMs, reason: "handing-over" };
    return this.#probe.read(nowMs);
  }

  syncProbe(nowMs: number): LocalProbe | null {
    return this.#syncProbe.known ? this.#syncProbe.read(nowMs) : null;
  }

  response(nowMs: number): ResponseTime | null {
    return this.#response.read(nowMs);
  }

  receiverAdvancedAgoMs(nowMs: number): number | null {
    return this.#receiverAdvancedMs === null ? null : nowMs - this.#receiverAdvancedMs;
  }

  async #collect(): Promise<void> {
    const startedAt = monotonicMs();
    try {
      const connection = await this.#statusLink.get(statusDeadlineMs, "SET synchronous_commit = local");
      if (this.#identity === null)
        this.#identity = decodeIdentity((await connection.query(identityQuery, [], statusDeadlineMs))[0]);
      const askedAt = monotonicMs();
      const [row] = await connection.query(statusQuery, [], statusDeadlineMs);
      this.#take(decodeStatus(row));
      if (this.#status?.recovery === true && this.#probe.succeed(monotonicMs() - askedAt)) this.#onChange();
      if (startedAt - this.#loadAtMs >= loadIntervalMs) {
        this.#loadAtMs = startedAt;
        this.#load = decodeLoad((await connection.query(loadQuery, [], statusDeadlineMs))[0]);
        await this.#inDoubt.look(connection, this.#status?.recovery === false ? (this.#load.prepared ?? 0) : 0);
      }
    } catch (error) {
      this.#starting = hasCode(error, startingUp);
      if (this.#status?.recovery === true && this.#probe.fail(reasonOf(error), startedAt)) this.#onChange();
    }
  }

  #take(status: ServerStatus): void {
    const before = this.#status;
    const nowMs = monotonicMs();
    this.#status = status;
    this.#statusAtMs = nowMs;
    this.#starting = false;
    const { receiver } = status;
    const key = receiver === null ? "" : `${receiver.writtenLsn}|${receiver.lastMessage}`;
    if (key !== "" && key !== this.#receiverKey) this.#receiverAdvancedMs = nowMs;
    this.#receiverKey = key;
    this.#onStatus(status);
    if (before === null || changesPicture(before, status)) this.#onChange();
  }

  /** A primary proves that it takes writes. A standby's status says whether it answers: of it only the response time is asked. */
  async #runProbe(): Promise<void> {
    const startedAt = monotonicMs();
    const recovery = this.#status?.recovery ?? null;
    this.#probes += 1;
    const timed = this.#probes % responseEveryProbes === 0;
    if (recovery === true && !timed) return;
    try {
      const connection = await this.#probeLink.get(
        probeDeadlineMs,
        "SET synchronous_commit = local; SET statement_timeout = 500",
      );
      if (recovery !== true) {
        const beganAt = monotonicMs();
        if (recovery === false) {
          // It makes receivers advance. Committed locally: a wait for standbys would say nothing about this server.
          await connection.query(heartbeatRow, [this.#node], probeDeadlineMs);
          // The heartbeat row finds room in its own page for long; what applications insert does not.
          await this.#assertRoom(startedAt);
        } else await connection.query("SELECT 1", [], probeDeadlineMs);
        if (this.#probe.succeed(monotonicMs() - beganAt)) this.#onChange();
      }
      if (timed) {
        const askedAt = monotonicMs();
        await connection.query(responseQuery, [], probeDeadlineMs);
        const answeredAt = monotonicMs();
        this.#response.add(answeredAt, answeredAt - askedAt);
      }
    } catch (error) {
      // A primary that was not prepared by Holdfast yet has no heartbeat table; that it says so is a good answer.
      if (hasCode(error, undefinedTable) || hasCode(error, undefinedSchema)) {
        if (this.#probe.succeed(monotonicMs() - startedAt)) this.#onChange();
        return;
      }
      if (this.#probe.fail(reasonOf(error), startedAt)) this.#onChange();
    }
  }

  /** Throws as PostgreSQL does when it can't have another page. @throws Error with the SQLSTATE `disk_full` */
  async #assertRoom(nowMs: number): Promise<void> {
    if (nowMs < this.#roomUntilMs) return;
    const asked = statfs(this.#dataDir);
    const { bavail, bsize } = await within(asked, probeDeadlineMs, "asking the file system for its room");
    if (bavail * bsize < leastFreeBytes)
      throw Object.assign(new Error("no room is left on the disk"), { code: diskFull });
    this.#roomUntilMs = nowMs + roomLastsMs;
  }

  async #runSyncProbe(): Promise<void> {
    const names = this.#status?.names ?? "";
    if (this.#status === null || this.#status.recovery || names === "") {
      this.#syncProbe.reset();
      this.#syncLink.drop();
      return;
    }
    const startedAt = monotonicMs();
    // The wait is never cut short: an ended connection would leave its backend waiting, and each further probe one more.
    const overdue = setTimeout(() => this.#failSync("timeout", startedAt), syncProbeDeadlineMs);
    try {
      const connection = await this.#syncLink.get(probeDeadlineMs, "SET synchronous_commit = on");
      await connection.query(heartbeatRow, [`${this.#node}:sync`], longestWaitMs);
      if (this.#syncProbe.succeed(monotonicMs() - startedAt)) this.#onChange();
    } catch (error) {
      if (hasCode(error, undefinedTable) || hasCode(error, undefinedSchema)) this.#syncProbe.reset();
      else this.#failSync(reasonOf(error), startedAt);
    } finally {
      clearTimeout(overdue);
    }
  }

  #failSync(reason: string, sinceMs: number): void {
    if (this.#syncProbe.fail(reason, sinceMs)) this.#onChange();
  }
}

/** Whether the difference is worth telling at once: a role, a stream that began or ended, names in force. */
function changesPicture(before: ServerStatus, after: ServerStatus): boolean {
  return (
    before.recovery !== after.recovery ||
    before.names !== after.names ||
    (before.receiver?.status === "streaming") !== (after.receiver?.status === "streaming") ||
    streamKey(before) !== streamKey(after)
  );
}

function streamKey(status: ServerStatus): string {
  return status.replication.map((row) => `${row.applicationName}=${row.state}=${row.syncState}`).join(" ");
}

function decodeIdentity(row: Readonly<Record<string, unknown>> | undefined): ServerIdentity {
  const source = asObject(row);
  const timelines = [asNumber(source.checkpoint_timeline), asNumber(source.recovery_timeline)];
  return {
    systemId: asText(source.system_id),
    version: asText(source.version),
    versionNumber: asNumber(source.version_number) ?? 0,
    canRewind: source.can_rewind === true,
    segmentBytes: asNumber(source.segment_bytes) ?? 16 * 1024 * 1024,
    controlTimeline: Math.max(0, ...timelines.map((timeline) => timeline ?? 0)) || null,
  };
}

function decodeLoad(row: Readonly<Record<string, unknown>> | undefined): ServerLoad {
  const load = asObject(row?.load);
  return {
    connections: asNumber(load.connections),
    prepared: asNumber(load.prepared),
    longestMs: asNumber(load.longestMs),
  };
}
