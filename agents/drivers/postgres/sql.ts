import { Socket } from "node:net";
import pg from "pg";
import { DeadlineError, within } from "../../shared/time.ts";

/** Where and as whom to connect. */
export interface SqlTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | null;
  readonly database: string;
  readonly applicationName: string;
  /** Connect as a standby does: another line of the server's access rules lets it in. */
  readonly replication?: boolean;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * One connection to a PostgreSQL server. Every call has a deadline on our side: a server that is stopped never answers, and a
 * statement timeout on its side would never fire. A query that misses its deadline costs the connection.
 */
export class SqlConnection {
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #onClose = new Set<(reason: string) => void>();
  #closed: string | null = null;

  private constructor(client: pg.Client, socket: Socket) {
    this.#client = client;
    this.#socket = socket;
    client.on("error", (error: Error & { code?: string }) => this.#close(error.code ?? error.message));
    client.on("end", () => this.#close("closed"));
    socket.on("close", () => this.#close("closed"));
  }

  /** @throws DeadlineError, or the error of the socket or the server (with its `code`). */
  static async connect(target: SqlTarget, options: { readonly deadlineMs: number }): Promise<SqlConnection> {
    const socket = new Socket();
    const config: pg.ClientConfig & { readonly replication?: string } = {
      host: target.host,
      port: target.port,
      user: target.user,
      password: target.password ?? "",
      database: target.database,
      application_name: target.applicationName,
      stream: () => socket,
      ssl: false,
      keepAlive: true,
      keepAliveInitialDelayMillis: 2_000,
      ...(target.replication ? { replication: "true" } : {}),
    };
    const client = new pg.Client(config);
    const connection = new SqlConnection(client, socket);
    try {
      await within(client.connect(), options.deadlineMs, `connecting to ${target.host}:${target.port}`);
      return connection;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** Called once when the connection ends, by either side. */
  onClose(listener: (reason: string) => void): void {
    if (this.#closed !== null) listener(this.#closed);
    else this.#onClose.add(listener);
  }

  /** @throws DeadlineError (the connection is destroyed then), or the server's error with its SQLSTATE in `code`. */
  async query(text: string, values: readonly unknown[], deadlineMs: number): Promise<readonly Row[]> {
    try {
      const result = await within(
        values.length === 0 ? this.#client.query(text) : this.#client.query(text, [...values]),
        deadlineMs,
        "a query",
      );
      return Array.isArray(result) ? (result.at(-1)?.rows ?? []) : result.rows;
    } catch (error) {
      if (error instanceof DeadlineError) this.#socket.destroy();
      throw error;
    }
  }

  /** Ends the connection at once, without asking the server. */
  destroy(): void {
    this.#onClose.clear();
    this.#socket.destroy();
  }

  #close(reason: string): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    for (const listener of this.#onClose) listener(reason);
    this.#onClose.clear();
  }
}

/** Opens a connection, runs `work`, closes it. */
export async function withConnection<T>(
  target: SqlTarget,
  deadlineMs: number,
  work: (connection: SqlConnection) => Promise<T>,
): Promise<T> {
  const connection = await SqlConnection.connect(target, { deadlineMs });
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

/** Short reason of a failed probe: `timeout`, `refused`, `closed`, or PostgreSQL's SQLSTATE. */
export function reasonOf(error: unknown): string {
  if (error instanceof DeadlineError) return "timeout";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "refused";
  if (code === "ECONNRESET" || code === "EPIPE" || code === "") return "closed";
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH") return "timeout";
  return code;
}
