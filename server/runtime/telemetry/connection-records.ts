import { type ConnectionReport, clusterServiceName, type OwnerKind } from "../../protocol/index.ts";

/** A connection that was not seen for this long is no sign of anything any more. */
export const connectionsKeptMs = 600_000;
const nodesKept = 1_000;
/** Of all nodes together. */
const pairsKept = 20_000;

/** A member of a cluster, as its node says where it is reached. */
export interface ClusterMember {
  readonly cluster: string;
  readonly kind: "database" | "cache";
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

/** A service, and what it was connected to: another one, or a node of which only the address is known. */
export interface SeenConnection {
  readonly from: string;
  readonly fromKind: OwnerKind;
  readonly to: { readonly service: string; readonly kind: OwnerKind } | { readonly node: string };
  readonly lastSeenMs: number;
}

type Listen = ConnectionReport["listens"][number] & { readonly lastSeenMs: number };
type Call = ConnectionReport["calls"][number] & { readonly lastSeenMs: number };

interface NodeConnections {
  readonly scope: string;
  readonly addresses: ReadonlySet<string>;
  /** Those that ended stay for a while: whoever was called before a fault is what one wants to see during it. */
  readonly listens: Map<string, Listen>;
  readonly calls: Map<string, Call>;
  seenMs: number;
}

/** What agents said about connections, and whom they lead to by what all of them said. */
export class ConnectionRecords {
  readonly #nodes = new Map<string, NodeConnections>();

  /** Answers with the number of pairs for which there was no room. */
  take(node: string, report: ConnectionReport, atMs: number): number {
    const before = this.#nodes.get(node);
    if (before === undefined && this.#nodes.size >= nodesKept) return report.calls.length;
    const isSame = before?.scope === report.scope;
    const kept: NodeConnections = {
      scope: report.scope,
      addresses: new Set(report.addresses),
      listens: isSame ? before.listens : new Map(),
      calls: isSame ? before.calls : new Map(),
      seenMs: atMs,
    };
    this.#nodes.set(node, kept);
    for (const each of report.listens) kept.listens.set(keyOf(each), { ...each, lastSeenMs: atMs });
    let room = pairsKept - this.#count();
    if (room < report.calls.length) {
      this.forgetOld(atMs);
      room = pairsKept - this.#count();
    }
    let beyond = 0;
    for (const each of report.calls) {
      const key = keyOf(each);
      const isNew = !kept.calls.has(key);
      if (isNew && room <= 0) {
        beyond += 1;
        continue;
      }
      if (isNew) room -= 1;
      kept.calls.set(key, { ...each, lastSeenMs: atMs });
    }
    return beyond;
  }

  forgetOld(nowMs: number): void {
    const before = nowMs - connectionsKeptMs;
    for (const [node, { calls, listens, seenMs }] of this.#nodes) {
      for (const list of [calls, listens]) {
        for (const [key, { lastSeenMs }] of list) if (lastSeenMs < before) list.delete(key);
      }
      if (seenMs < before) this.#nodes.delete(node);
    }
  }

  /** The pairs that lead to something known. What could be two things is neither. */
  resolve(members: readonly ClusterMember[]): SeenConnection[] {
    const listeners = this.#indexListeners();
    const nodeAt = this.#indexAddresses();
    const found: SeenConnection[] = [];
    for (const [name, caller] of this.#nodes) {
      for (const call of caller.calls.values()) {
        const to =
          readAlias(call) ??
          chooseListener(caller, [
            ...(listeners.get(reachKey(caller.scope, call)) ?? []),
            ...(isLoopback(call.address) ? (listeners.get(`${caller.scope} * ${call.port}`) ?? []) : []),
          ]) ??
          this.#findMember(caller, call, members) ??
          readNode(nodeAt.get(call.address));
        // A port of its own node that is nobody's says nothing.
        if (to === null || ("node" in to && to.node === name)) continue;
        found.push({ from: call.service, fromKind: call.kind, to, lastSeenMs: call.lastSeenMs });
      }
    }
    return found;
  }

  #count(): number {
    return [...this.#nodes.values()].reduce((sum, { calls, listens }) => sum + calls.size + listens.size, 0);
  }

  /** Who is reached under an address and a port; on loopback, within one kernel and network namespace. */
  #indexListeners(): Map<string, Listener[]> {
    const index = new Map<string, Listener[]>();
    const add = (key: string, listener: Listener) => {
      const known = index.get(key) ?? [];
      index.set(key, known);
      known.push(listener);
    };
    for (const node of this.#nodes.values()) {
      for (const listen of node.listens.values()) {
        const { address, port } = listen;
        if (address !== "*") {
          add(reachKey(node.scope, { address, port }), { node, listen });
          continue;
        }
        add(`${node.scope} * ${port}`, { node, listen });
        for (const own of node.addresses) add(reachKey(node.scope, { address: own, port }), { node, listen });
      }
    }
    return index;
  }

  /** Null: several nodes have it. */
  #indexAddresses(): Map<string, string | null> {
    const index = new Map<string, string | null>();
    for (const [name, { addresses }] of this.#nodes) {
      for (const address of addresses) index.set(address, index.has(address) ? null : name);
    }
    return index;
  }

  #findMember(caller: NodeConnections, call: Call, members: readonly ClusterMember[]): SeenConnection["to"] | null {
    const hits = members.filter(({ node, host, port }) => {
      if (port !== call.port) return false;
      const owner = this.#nodes.get(node);
      if (isLoopback(call.address)) return host === call.address && owner?.scope === caller.scope;
      return host === call.address || owner?.addresses.has(call.address) === true;
    });
    const [first] = hits;
    if (first === undefined || hits.some(({ cluster, kind }) => cluster !== first.cluster || kind !== first.kind))
      return null;
    return { service: clusterServiceName(first.kind, first.cluster), kind: first.kind };
  }
}

interface Listener {
  readonly node: NodeConnections;
  readonly listen: Listen;
}

function readAlias({ alias }: Call): SeenConnection["to"] | null {
  return alias === null ? null : { service: alias, kind: "service" };
}

function readNode(node: string | null | undefined): SeenConnection["to"] | null {
  return node == null ? null : { node };
}

function chooseListener(caller: NodeConnections, reached: readonly Listener[]): SeenConnection["to"] | null {
  // Bridges of containers have the same address on every machine: the caller's own comes first.
  const near = reached.filter(({ node }) => node.scope === caller.scope);
  const hits = near.length > 0 ? near : reached;
  // A port that went from one service to another belongs to who has it now.
  const now = hits.filter(({ node, listen }) => listen.lastSeenMs === node.seenMs);
  const [first, ...others] = (now.length > 0 ? now : hits).map(({ listen }) => listen);
  if (first === undefined || others.some(({ service }) => service !== first.service)) return null;
  return { service: first.service, kind: first.kind };
}

function reachKey(scope: string, { address, port }: { address: string; port: number }): string {
  return isLoopback(address) ? `${scope} ${address} ${port}` : `${address} ${port}`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

function keyOf({ service, address, port }: { service: string; address: string; port: number }): string {
  return `${service} ${address} ${port}`;
}
