import { type Attributes, SpanKind } from "@opentelemetry/api";
import pg from "pg";
import type { ShopConfig } from "./config.ts";
import type { Telemetry } from "./telemetry.ts";

const poolSize = 4;
const connectTimeoutMs = 1_200;
const statementTimeoutMs = 4_000;
/** Codes of a server that is no primary (any more), shuts down, or is not reached. */
const elsewhere = new Set(["25006", "57P01", "57P02", "57P03", "ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/** A pool to whichever member of the cluster is primary now. Each query has a client span, and so has the wait for a connection. */
export class ShopDatabase {
  #pool: pg.Pool | null = null;
  #finding: Promise<pg.Pool> | null = null;
  #leaked: pg.PoolClient[] = [];

  constructor(
    private readonly config: ShopConfig,
    private readonly telemetry: Telemetry,
  ) {}

  get waiting(): number {
    return this.#pool?.waitingCount ?? 0;
  }

  get inUse(): number {
    return this.#pool === null ? 0 : this.#pool.totalCount - this.#pool.idleCount;
  }

  async query(name: string, text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    const client = await this.telemetry.inSpan("pool.acquire", { kind: SpanKind.INTERNAL }, async (span) => {
      const pool = await this.#findPool();
      span.setAttributes({ "db.pool.in_use": this.inUse, "db.pool.waiting": this.waiting });
      return pool.connect();
    });
    try {
      return await this.telemetry.inSpan(name, { kind: SpanKind.CLIENT, attributes: this.#describe(text) }, () =>
        client.query(text, [...values]),
      );
    } catch (error) {
      if (elsewhere.has((error as { code?: string }).code ?? "")) this.#forget();
      throw error;
    } finally {
      client.release();
    }
  }

  /** Takes every connection and gives none back, as code does that forgets `release` on one of its ways out. */
  async leakConnections(): Promise<void> {
    const pool = await this.#findPool();
    const taken = await Promise.allSettled(Array.from({ length: poolSize }, () => pool.connect()));
    for (const each of taken) if (each.status === "fulfilled") this.#leaked.push(each.value);
  }

  giveBack(): void {
    for (const client of this.#leaked) client.release();
    this.#leaked = [];
  }

  async stop(): Promise<void> {
    this.giveBack();
    this.#forget();
  }

  #describe(text: string): Attributes {
    return {
      "db.system.name": "postgresql",
      "db.namespace": this.config.database.database,
      "db.query.text": text,
    };
  }

  #forget(): void {
    this.#pool?.end().catch(() => undefined);
    this.#pool = null;
  }

  async #findPool(): Promise<pg.Pool> {
    if (this.#pool !== null) return this.#pool;
    this.#finding ??= this.#find().finally(() => {
      this.#finding = null;
    });
    return this.#finding;
  }

  /** The first member that says it is no standby. */
  async #find(): Promise<pg.Pool> {
    const { nodes, database, user } = this.config.database;
    const tries = nodes.map(async ({ host, port }) => {
      const pool = new pg.Pool({
        host,
        port,
        database,
        user,
        max: poolSize,
        connectionTimeoutMillis: connectTimeoutMs,
        statement_timeout: statementTimeoutMs,
        // One worker for one request: a slow query takes one core, not the machine.
        options: "-c max_parallel_workers_per_gather=0",
      });
      pool.on("error", () => this.#forget());
      try {
        const { rows } = await pool.query("SELECT pg_is_in_recovery() AS standby");
        if ((rows[0] as { standby: boolean }).standby) throw new Error(`${host}:${port} is a standby.`);
        return pool;
      } catch (error) {
        pool.end().catch(() => undefined);
        throw error;
      }
    });
    try {
      this.#pool = await Promise.any(tries);
      return this.#pool;
    } catch {
      throw new Error("No member of the database cluster takes writes now.");
    }
  }
}
