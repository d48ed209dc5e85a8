import net from "node:net";
import pg from "pg";

/** Where and as whom one node is reached. */
export interface LaneEndpoint {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

export interface Credentials {
  readonly user: string;
  readonly database: string;
  readonly password?: string;
}

/** `cancelled`: COMMIT returned with the warning that the wait for standbys was cancelled. It promises nothing. */
export type WriteOutcome = { readonly kind: "acknowledged" } | { readonly kind: "cancelled"; readonly warning: string };

const connectTimeoutMs = 250;
/** SQLSTATE of a server that is starting or shutting down. */
const cannotConnectNow = "57P03";

/** One connection of the application to one node: closed, connecting or ready; at most one statement under way. */
export class Lane {
  #socket: net.Socket | null = null;
  #client: pg.Client | null = null;
  #warning: string | null = null;
  #lastAttemptMs = Number.NEGATIVE_INFINITY;
  state: "closed" | "connecting" | "ready" = "closed";
  /** The server said that it is shutting down: it will not be there soon, and each knock costs it a process. */
  leaving = false;
  /** When the statement under way was sent, by the given clock; null when idle. */
  busySinceMs: number | null = null;

  constructor(
    readonly endpoint: LaneEndpoint,
    private readonly credentials: Credentials,
    private readonly table: string,
    private readonly nowMs: () => number,
    private readonly onError: (node: string, error: Error) => void,
  ) {}

  get node(): string {
    return this.endpoint.node;
  }

  get idle(): boolean {
    return this.state === "ready" && this.busySinceMs === null;
  }

  /** Milliseconds since the last attempt to connect. */
  get sinceAttemptMs(): number {
    return this.nowMs() - this.#lastAttemptMs;
  }

  async connect(): Promise<void> {
    this.state = "connecting";
    this.#lastAttemptMs = this.nowMs();
    const socket = new net.Socket();
    const client = new pg.Client({
      ...this.credentials,
      host: this.endpoint.host,
      port: this.endpoint.port,
      connectionTimeoutMillis: connectTimeoutMs,
      application_name: "orders-app",
      stream: () => socket,
    });
    this.#socket = socket;
    this.#client = client;
    socket.setNoDelay(true);
    client.on("notice", (notice) => {
      if (notice.severity === "WARNING") this.#warning = notice.message ?? "warning";
    });
    client.on("error", (error) => this.#fail(client, error));
    client.on("end", () => this.#fail(client, null));
    try {
      await client.connect();
      if (this.#client === client) this.state = "ready";
    } catch (error) {
      this.#fail(client, error as Error);
    }
  }

  /** True on a server that takes writes; null when it could not be asked. */
  async isPrimary(): Promise<boolean | null> {
    const rows = await this.#run<{ standby: boolean }>("SELECT pg_is_in_recovery() AS standby", []);
    return rows === null ? null : rows[0]?.standby === false;
  }

  async prepareTable(): Promise<boolean> {
    const columns =
      "id bigint PRIMARY KEY, node text NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp()";
    return (await this.#run(`CREATE TABLE IF NOT EXISTS ${this.table} (${columns})`, [])) !== null;
  }

  /** Highest number in the table; null when it could not be read. */
  async highest(): Promise<number | null> {
    const rows = await this.#run<{ top: string | null }>(`SELECT max(id)::text AS top FROM ${this.table}`, []);
    return rows === null ? null : Number(rows[0]?.top ?? 0);
  }

  /** Inserts one numbered row in a transaction of its own. Null: the connection was lost or the server refused; the outcome is unknown. */
  async write(number: number): Promise<WriteOutcome | null> {
    this.#warning = null;
    const rows = await this.#run(`INSERT INTO ${this.table} (id, node) VALUES ($1, $2)`, [number, this.node]);
    if (rows === null) return null;
    return this.#warning === null ? { kind: "acknowledged" } : { kind: "cancelled", warning: this.#warning };
  }

  /** All numbers between two bounds, both included; null when they could not be read. */
  async numbers(from: number, to: number): Promise<readonly number[] | null> {
    const rows = await this.#run<{ id: string }>(`SELECT id FROM ${this.table} WHERE id BETWEEN $1 AND $2`, [from, to]);
    return rows?.map((row) => Number(row.id)) ?? null;
  }

  /** Drops the connection without a word, as a driver does after its timeout. */
  drop(): void {
    this.state = "closed";
    this.busySinceMs = null;
    this.#client = null;
    this.#socket?.destroy();
    this.#socket = null;
  }

  async #run<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<readonly Row[] | null> {
    const client = this.#client;
    if (client === null || this.state !== "ready") return null;
    this.busySinceMs = this.nowMs();
    try {
      const result = await client.query<Row>(text, [...values]);
      return result.rows;
    } catch (error) {
      if (this.#client === client) this.onError(this.node, error as Error);
      // An error of the statement leaves the connection usable; one of the connection comes as an event of its own.
      return null;
    } finally {
      if (this.#client === client) this.busySinceMs = null;
    }
  }

  #fail(client: pg.Client, error: Error | null): void {
    if (this.#client !== client) return;
    if (error !== null) this.onError(this.node, error);
    this.drop();
    this.leaving =
      (error as { readonly code?: unknown } | null)?.code === cannotConnectNow && /shut/.test(error?.message ?? "");
  }
}
