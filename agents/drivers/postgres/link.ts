import { SqlConnection, type SqlTarget } from "./sql.ts";

/** A connection that is opened when it is needed and opened again after it was lost. One user at a time is the caller's affair. */
export class SqlLink {
  readonly #target: () => SqlTarget;
  readonly #onClose: (reason: string) => void;
  #connection: SqlConnection | null = null;
  #opening: Promise<SqlConnection> | null = null;

  constructor(target: () => SqlTarget, onClose: (reason: string) => void = () => undefined) {
    this.#target = target;
    this.#onClose = onClose;
  }

  get open(): boolean {
    return this.#connection !== null && !this.#connection.closed;
  }

  /** @throws what `SqlConnection.connect` throws. `setup` runs on a new connection only. */
  async get(deadlineMs: number, setup?: string): Promise<SqlConnection> {
    if (this.#connection !== null && !this.#connection.closed) return this.#connection;
    this.#opening ??= this.#connect(deadlineMs, setup).finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  drop(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  async #connect(deadlineMs: number, setup?: string): Promise<SqlConnection> {
    const connection = await SqlConnection.connect(this.#target(), { deadlineMs });
    if (setup !== undefined) {
      try {
        await connection.query(setup, [], deadlineMs);
      } catch (error) {
        connection.destroy();
        throw error;
      }
    }
    this.#connection = connection;
    connection.onClose((reason) => {
      if (this.#connection === connection) this.#connection = null;
      this.#onClose(reason);
    });
    return connection;
  }
}
