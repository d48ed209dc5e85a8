/** Somebody with an older token than one that was already here: a holder that has lost its lock and doesn't know it yet. */
export class StaleTokenError extends Error {
  readonly code = "stale-token";
  constructor(
    readonly resource: string,
    readonly token: number,
    readonly highest: number | null,
  ) {
    const seen = highest === null ? "a newer one was seen" : `token ${highest} was seen`;
    super(`${resource} refuses fencing token ${token}: ${seen}. The lock was lost; acquire it again before writing.`);
    this.name = "StaleTokenError";
  }
}

/** Where a resource keeps the highest token it has seen. It has to be as durable as the resource itself. */
export interface TokenMemory {
  read(resource: string): Promise<number | null> | number | null;
  write(resource: string, token: number): Promise<void> | void;
}

/**
 * The resource's side, for a resource that one process guards (a file, a device, another system's API): writes run one after the other, each
 * under its token, and the token is remembered *before* the write begins.
 */
export class FencedResource {
  readonly #memory: TokenMemory;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    memory: TokenMemory = createTokenMemory(),
  ) {
    this.#memory = memory;
  }

  /** @throws StaleTokenError, and nothing was written */
  write<T>(token: number, work: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(async () => {
      const highest = await this.#memory.read(this.name);
      if (highest !== null && token < highest) throw new StaleTokenError(this.name, token, highest);
      if (token !== highest) await this.#memory.write(this.name, token);
      return work();
    });
    this.#tail = result.catch(() => {});
    return result;
  }
}

function createTokenMemory(): TokenMemory {
  const tokens = new Map<string, number>();
  return { read: (name) => tokens.get(name) ?? null, write: (name, token) => void tokens.set(name, token) };
}

/** What is needed of a PostgreSQL client (`pg`), inside a transaction. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rowCount: number | null }>;
}

export const fenceTable = "CREATE TABLE IF NOT EXISTS fences (resource text PRIMARY KEY, token bigint NOT NULL)";

/**
 * For a PostgreSQL database as the resource: call it first inside the transaction that writes. The row lock keeps every other holder out until this
 * transaction ends, so check and write can't be torn apart. @throws StaleTokenError; roll back then
 */
export async function fencePostgres(client: SqlClient, resource: string, token: number): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO fences AS f (resource, token) VALUES ($1, $2)
     ON CONFLICT (resource) DO UPDATE SET token = excluded.token WHERE f.token <= excluded.token`,
    [resource, token],
  );
  if (rowCount !== 1) throw new StaleTokenError(resource, token, null);
}
