import type { SpanPeer } from "../../server/protocol/index.ts";
import type { Attributes } from "../otlp/walk.ts";

const caches = new Set(["redis", "valkey", "memcached", "memcache"]);

/**
 * Whom a client's span calls, by the attributes that instrumentation sets (OpenTelemetry semantic conventions, present and former names). A
 * database is named by its kind and its own name, so that primary and standby are one dependency; an address stays one until the control
 * plane has seen which service answers there. Null when the span does not say.
 */
export function findPeer(attributes: Attributes, aliases: ReadonlyMap<string, string>): SpanPeer | null {
  const address = findAddress(attributes);
  const alias = address === null ? undefined : aliases.get(address);
  const system = attributes.get("db.system.name", "db.system").toLowerCase();
  if (system !== "") {
    const kind = caches.has(system) ? "cache" : "database";
    if (alias !== undefined) return { name: alias, kind };
    const database = kind === "cache" ? "" : attributes.get("db.namespace", "db.name");
    if (database !== "") return { name: `${system}/${database}`, kind };
    return { name: address === null ? system : `${system}@${address}`, kind };
  }
  const queue = attributes.get("messaging.system");
  if (queue !== "") {
    const destination = attributes.get("messaging.destination.name", "messaging.destination");
    return { name: alias ?? (destination === "" ? queue : `${queue}/${destination}`), kind: "queue" };
  }
  const named = attributes.get("service.peer.name", "peer.service");
  if (named !== "") return { name: named, kind: "service" };
  if (address === null) return null;
  return alias === undefined ? { name: address, kind: "address" } : { name: alias, kind: "service" };
}

function findAddress(attributes: Attributes): string | null {
  const host = attributes.get("server.address", "net.peer.name", "net.sock.peer.addr", "network.peer.address");
  const port = attributes.get("server.port", "net.peer.port", "net.sock.peer.port", "network.peer.port");
  if (host !== "") return port === "" || host.includes("://") ? host : `${bracket(host)}:${port}`;
  const url = attributes.get("url.full", "http.url");
  try {
    return url === "" ? null : new URL(url).host;
  } catch {
    return null;
  }
}

function bracket(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
