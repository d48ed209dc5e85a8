import type { Host } from "../../e2e/plain/network.ts";

/** How one product is installed, driven and asked: the same three hosts for each. */
export interface Peer {
  readonly name: string;
  /** The settings it runs with, in one line. */
  readonly settings: string;
  /** What is installed, or why it can't be tried here. */
  version(): { readonly text: string } | { readonly missing: string };
  /** Brings the cluster up, with its superuser let in from the network. */
  build(): Promise<void>;
  /** Starts again what a fault has ended on this host, as its service manager (or its documentation's operator) would. */
  revive(host: Host): void;
  /** As superuser over the network. @throws Error when the server does not answer */
  sql(host: Host, text: string, database?: string): string;
}
