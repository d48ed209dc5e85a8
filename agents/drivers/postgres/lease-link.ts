import type { Endpoint } from "../../../server/core/index.ts";
import { askName, type LeaseName, parseAskName, parseRenewalName, renewalName } from "./lease-names.ts";
import { SqlLink } from "./link.ts";
import type { SqlConnection, SqlTarget } from "./sql.ts";

/** Both ends of the talk about a lease over SQL. Nothing is written: what is said is the name of a connection. */

const deadlineMs = 400;

/** Names of other connections of the same user, newest first: only who has its password can take part. */
const namesLike = `SELECT application_name AS name FROM pg_stat_activity
  WHERE usename = current_user AND pid <> pg_backend_pid() AND application_name LIKE $1 ORDER BY backend_start DESC`;

async function readNames(connection: SqlConnection, pattern: string): Promise<readonly string[]> {
  const rows = await connection.query(namesLike, [pattern], deadlineMs);
  return rows.map((row) => String(row.name));
}

async function sayName(connection: SqlConnection, name: string): Promise<void> {
  await connection.query("SELECT set_config('application_name', $1, false)", [name], deadlineMs);
}

/** The primary's end, on its own server. */
export class LeaseAsker {
  readonly #link: SqlLink;

  constructor(target: () => SqlTarget) {
    this.#link = new SqlLink(target);
  }

  /** Asks, and reads what was answered to earlier requests. @throws Error when the server does not answer */
  async exchange(ask: LeaseName): Promise<readonly (LeaseName & { readonly node: string })[]> {
    const connection = await this.#link.get(deadlineMs);
    await sayName(connection, askName(ask));
    const names = await readNames(connection, "hf-ok %");
    return names.map(parseRenewalName).filter((renewal) => renewal !== null);
  }

  drop(): void {
    this.#link.drop();
  }
}

/** A standby's end, on the server of the primary that it follows. */
export class LeaseRenewer {
  readonly #targetOf: (primary: Endpoint) => SqlTarget;
  #link: SqlLink | null = null;
  #primary = "";

  constructor(targetOf: (primary: Endpoint) => SqlTarget) {
    this.#targetOf = targetOf;
  }

  /**
   * Renews the request that stands there. `mayRenew` is asked between reading and answering: who promises something higher meanwhile has
   * answered to a request that was made before. @throws Error when the primary does not answer
   */
  async renew(primary: Endpoint, node: string, mayRenew: (epoch: number) => boolean): Promise<void> {
    const key = `${primary.host}:${primary.port}`;
    if (key !== this.#primary) this.drop();
    this.#primary = key;
    this.#link ??= new SqlLink(() => this.#targetOf(primary));
    const connection = await this.#link.get(deadlineMs);
    const [ask] = (await readNames(connection, "hf-ask %")).map(parseAskName).filter((name) => name !== null);
    if (ask !== undefined && mayRenew(ask.epoch)) await sayName(connection, renewalName(ask, node));
  }

  drop(): void {
    this.#link?.drop();
    this.#link = null;
  }
}
