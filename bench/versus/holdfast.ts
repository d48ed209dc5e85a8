import { createFirstMembers, repository } from "../../e2e/plain/cluster.ts";
import { Installation } from "../../e2e/plain/installation.ts";
import type { Host, Layout } from "../../e2e/plain/network.ts";
import type { Peer } from "./peer.ts";

/** Holdfast with its defaults, on the same hosts as the others. */
export class Holdfast implements Peer {
  readonly name = "holdfast";
  readonly settings = "defaults (failover budget raised: faults come faster here)";
  readonly #installation: Installation;

  constructor(layout: Layout, folder: string, user: { readonly uid: number; readonly gid: number }) {
    this.#installation = new Installation({
      layout,
      folder,
      root: repository,
      binDir: "/usr/lib/postgresql/15/bin",
      agentUser: "root",
      tls: false,
      diskMiB: null,
      manager: "agent",
      postgresUser: user,
    });
  }

  version(): { readonly text: string } {
    return { text: "this checkout" };
  }

  async build(): Promise<void> {
    this.#installation.makeFolders();
    await this.#installation.startServer();
    await createFirstMembers(this.#installation);
  }

  revive(host: Host): void {
    this.#installation.startAgent(host);
  }

  sql(host: Host, text: string, database = "postgres"): string {
    return this.#installation.sql(host, text, { database });
  }
}
