import type { PortAddress } from "../network/silent-ports.ts";

/** The demo's web shop: gateway → orders → payments → PostgreSQL, and a cache. Each is a process of its own. */
export const shopServices = ["gateway", "orders", "payments", "cache"] as const;

export type ShopService = (typeof shopServices)[number];

/** The database, as telemetry names it: by its kind and its own name, whichever member of the cluster is primary. */
export const shopDatabase = "postgresql/orders";

export const goodRelease = "1.4.0";
/** Its price rule fails for every cart with an odd product: what a release that was not tested well does. */
export const badRelease = "1.5.0";

/** What one process of the shop is started with, as JSON. */
export interface ShopConfig {
  readonly service: ShopService;
  readonly release: string;
  /** The node it runs on, for its telemetry. */
  readonly host: string;
  readonly addresses: Readonly<Record<ShopService, PortAddress>>;
  readonly database: {
    readonly nodes: readonly { readonly node: string; readonly host: string; readonly port: number }[];
    readonly database: string;
    readonly user: string;
  };
  /** Where the node's agent takes OTLP/HTTP. */
  readonly otlpUrl: string;
  /** A small volume of its own. */
  readonly volume: string;
}

/** Faults inside a process, switched by messages from the supervisor. */
export const innerFaults = ["slow", "exception", "cpu", "leak", "disk", "pool"] as const;

export type InnerFault = (typeof innerFaults)[number];

export type ShopMessage =
  | { readonly kind: "fault"; readonly fault: InnerFault; readonly on: boolean }
  | { readonly kind: "done" };

export function isShopService(text: string): text is ShopService {
  return (shopServices as readonly string[]).includes(text);
}
