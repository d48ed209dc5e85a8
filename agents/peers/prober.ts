import { Socket } from "node:net";
import type { PeerSight } from "../../server/core/index.ts";
import type { PeerAssignment } from "../../server/protocol/index.ts";
import { SqlConnection, type SqlTarget } from "../drivers/postgres/sql.ts";
import { responseQuery } from "../drivers/postgres/status-query.ts";
import { ProbeRecord } from "../shared/probe-record.ts";
import { Repeater } from "../shared/repeater.ts";
import { ResponseWindow } from "../shared/response-window.ts";
import { DeadlineError, monotonicMs } from "../shared/time.ts";

const intervalMs = 500;
const deadlineMs = 500;
const retryAfterCloseMs = 100;
const responseEveryProbes = 4;
/** A connection that stays open and says nothing for this long belongs to a stopped process. */
const acceptedSilentMs = 150;

export type SightReason = NonNullable<PeerSight["reason"]>;

export interface PeerCredentials {
  readonly user: string;
  readonly password: string | null;
}

/**
 * Watches one peer by SQL over a connection that is kept open: when it closes, that is evidence at once. A failed probe is classified by a
 * plain TCP connect, because a stopped process still accepts.
 */
export class PeerProber {
  readonly assignment: PeerAssignment;
  readonly #target: SqlTarget;
  readonly #onChange: () => void;
  readonly #record = new ProbeRecord();
  readonly #response = new ResponseWindow(60_000, 120);
  readonly #loop: Repeater;
  #connection: SqlConnection | null = null;
  #retry: NodeJS.Timeout | null = null;
  #responseMs: number | null = null;
  #probes = 0;
  #stopped = false;

  constructor(assignment: PeerAssignment, credentials: PeerCredentials, onChange: () => void) {
    this.assignment = assignment;
    this.#target = {
      host: assignment.host,
      port: assignment.port,
      user: credentials.user,
      password: credentials.password,
      database: "postgres",
      applicationName: "holdfast peer",
    };
    this.#onChange = onChange;
    this.#loop = new Repeater(intervalMs, () => this.#probe());
  }

  start(): void {
    this.#loop.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#loop.stop();
    if (this.#retry) clearTimeout(this.#retry);
    this.#connection?.destroy();
  }

  read(nowMs: number): PeerSight {
    const { node, cluster } = this.assignment;
    const known = this.#record.known;
    return {
      node,
      cluster,
      reach: known ? (this.#record.ok ? "ok" : "failed") : "unknown",
      reason: known && !this.#record.ok ? (this.#record.reason as SightReason) : null,
      failingForMs: this.#record.failingForMs(nowMs),
      responseMs: this.#record.ok ? this.#responseMs : null,
      response: this.#response.read(nowMs),
    };
  }

  async #probe(): Promise<void> {
    const startedAt = monotonicMs();
    try {
      const connection = await this.#open();
      const askedAt = monotonicMs();
      this.#probes += 1;
      const timed = this.#probes % responseEveryProbes === 0;
      await connection.query(timed ? responseQuery : "SELECT 1", [], deadlineMs);
      const answeredAt = monotonicMs();
      this.#responseMs = answeredAt - askedAt;
      if (timed) this.#response.add(answeredAt, this.#responseMs);
      if (this.#record.succeed(this.#responseMs)) this.#onChange();
    } catch (error) {
      if (this.#stopped) return;
      this.#connection?.destroy();
      this.#connection = null;
      const reason = await this.#classify(error);
      if (!this.#stopped && this.#record.fail(reason, startedAt)) this.#onChange();
    }
  }

  async #open(): Promise<SqlConnection> {
    if (this.#connection !== null && !this.#connection.closed) return this.#connection;
    const connection = await SqlConnection.connect(this.#target, { deadlineMs });
    this.#connection = connection;
    connection.onClose(() => this.#closed(connection));
    return connection;
  }

  #closed(connection: SqlConnection): void {
    if (this.#stopped || this.#connection !== connection) return;
    this.#connection = null;
    if (this.#record.fail("closed", monotonicMs())) this.#onChange();
    this.#retry = setTimeout(() => this.#loop.wake(), retryAfterCloseMs);
  }

  /** The server that says why it does not serve us is there; anything else is asked of TCP. */
  async #classify(error: unknown): Promise<SightReason> {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/^[0-9A-Z]{5}$/.test(code) && !(error instanceof DeadlineError)) return "error";
    return classifyTcp(this.#target.host, this.#target.port, deadlineMs);
  }
}

/** What a plain connect says of a host whose service did not answer. */
export function classifyTcp(host: string, port: number, timeoutMs: number): Promise<SightReason> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const finish = (reason: SightReason) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    let timer = setTimeout(() => finish("timeout"), timeoutMs);
    socket.once("connect", () => {
      // Something in between (a proxy, a NAT) may accept for a dead host and end the connection a moment later.
      clearTimeout(timer);
      timer = setTimeout(() => finish("accepted-silent"), acceptedSilentMs);
    });
    socket.once("close", () => finish("closed"));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      finish(error.code === "ECONNREFUSED" ? "refused" : error.code === "ECONNRESET" ? "closed" : "timeout");
    });
    socket.connect(port, host);
  });
}
