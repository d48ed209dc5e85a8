/** The one list of faults: the demo's commands, the page's buttons, benchmarks and chaos runs all use these names. */
export const faultNames = [
  "crash",
  "pgkill",
  "power",
  "freeze",
  "pgfreeze",
  "partition",
  "ctl",
  "blip",
  "switchover",
] as const;

/** Faults of the web shop; each acts on the service where it is most telling unless another is named. */
export const shopFaultNames = ["slow", "exception", "cpu", "leak", "disk", "pool", "release", "index"] as const;

export type FaultName = (typeof faultNames)[number];
export type ShopFaultName = (typeof shopFaultNames)[number];

/** What each does, for the commands' help. The page has its own words in both languages. */
export const faultSentences: Readonly<Record<FaultName, string>> = {
  crash: "every process of the node is killed",
  pgkill: "only the database is killed",
  power: "the network is cut, then everything is killed: no FIN, no RST",
  freeze: "every process of the node is stopped (SIGSTOP)",
  pgfreeze: "the database is stopped (SIGSTOP), its agent lives",
  partition: "the node loses the cluster and the control plane; clients still reach it",
  ctl: "the control plane is killed, and started again after five seconds",
  blip: "the node stops for --blip milliseconds (default 800)",
  switchover: "the primary role moves to a standby, as planned work",
};

export const shopFaultSentences: Readonly<Record<ShopFaultName, string>> = {
  slow: "a service that others depend on answers late (the cache)",
  exception: "a service throws on every checkout (payments)",
  cpu: "a service burns most of a processor (orders)",
  leak: "a service keeps everything it ever made in memory (payments)",
  disk: "a service's volume is filled (orders)",
  pool: "database connections are taken and not given back (payments)",
  release: "a release with a mistake is deployed (orders)",
  index: "an index that every payment needs is dropped (the database)",
};

/** A fault to cause, or `heal` to undo all of them. */
export interface FaultRequest {
  readonly fault: FaultName | ShopFaultName | "heal";
  /** The node (or one Redis server; for the shop's faults the service) it happens to; by default the primary. For `switchover` the target. */
  readonly node?: string;
  /** `blip` only: how long, milliseconds. */
  readonly ms?: number;
}

export function isFaultName(text: string): text is FaultName {
  return (faultNames as readonly string[]).includes(text);
}

export function isShopFaultName(text: string): text is ShopFaultName {
  return (shopFaultNames as readonly string[]).includes(text);
}

/** Reads a request that came as JSON. A text says what is wrong with it. */
export function readFaultRequest(body: unknown, nodes: readonly string[]): FaultRequest | string {
  if (typeof body !== "object" || body === null) return "Send a JSON object with the name of a fault.";
  const { fault, node, ms } = body as Record<string, unknown>;
  if (typeof fault !== "string" || !(fault === "heal" || isFaultName(fault) || isShopFaultName(fault))) {
    return `There is no such fault. Known: ${[...faultNames, ...shopFaultNames].join(", ")}, and heal.`;
  }
  if (node !== undefined && node !== null && !(typeof node === "string" && nodes.includes(node))) {
    return `There is no such node. Known: ${nodes.join(", ")}.`;
  }
  if (ms !== undefined && ms !== null && !(typeof ms === "number" && ms >= 1 && ms <= 60_000)) {
    return "ms is a number of milliseconds from 1 to 60000.";
  }
  return { fault, ...(node ? { node: node as string } : {}), ...(ms ? { ms: ms as number } : {}) };
}
