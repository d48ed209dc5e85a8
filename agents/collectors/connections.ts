import { readlinkSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { ConnectionReport } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { readProc } from "./proc.ts";
import { SocketOwners, type Watched } from "./socket-owners.ts";
import { parseTcpTable, type TcpSocket } from "./tcp-table.ts";

/** Sockets of each table that are looked at. */
const socketsRead = 20_000;

export interface ConnectionsOptions {
  /** The processes whose connections are told. Called once a round. */
  watched(): Promise<readonly Watched[]>;
  /** Names that callers' configuration gives to `address:port`. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Said once each. */
  onTrouble(message: string, detail: Readonly<Record<string, unknown>>): void;
  onDropped(count: number): void;
}

/** Where the watched processes listen and whom they are connected to, from /proc. Elsewhere than on Linux nothing is said. */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #owners = new SocketOwners();
  readonly #told = new Set<string>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** Null where the kernel lists no sockets, and while nothing is watched. */
  async collect(): Promise<ConnectionReport | null> {
    const scope = readScope();
    if (scope === null) return null;
    const watched = await this.#options.watched();
    if (watched.every(({ pids }) => pids.length === 0)) return null;
    const listed = ["tcp", "tcp6"].flatMap((name) => parseTcpTable(readProc(`/proc/net/${name}`), socketsRead));
    // The kernel writes the table in pieces: a socket is told twice when others came in between.
    const sockets = [...new Map(listed.map((socket) => [socket.inode, socket])).values()];
    const listening = sockets.filter(({ state }) => state === "listen");
    const called = withoutAccepted(
      sockets.filter(({ state }) => state === "established"),
      listening,
    );
    const inodes = new Set([...listening, ...called].map(({ inode }) => inode));
    const { owners, forbidden, isCutShort } = await this.#owners.find(watched, inodes);
    for (const service of forbidden) {
      this.#tellOnce(
        service,
        "the connections of a service can't be seen: its processes run as another user; run the agent as root, as that user, or with CAP_SYS_PTRACE to have them on the service map",
        { service },
      );
    }
    if (isCutShort) this.#tellOnce("", "not every connection can be seen: services have too many files open", {});
    return {
      scope,
      addresses: ownAddresses(),
      listens: this.#cut(describeListens(listening, owners)),
      calls: this.#cut(this.#describeCalls(called, owners)),
    };
  }

  #describeCalls(called: readonly TcpSocket[], owners: ReadonlyMap<number, Watched>): ConnectionReport["calls"] {
    const calls = new Map<string, ConnectionReport["calls"][number]>();
    for (const { inode, remote } of called) {
      const owner = owners.get(inode);
      if (owner === undefined) continue;
      const key = `${owner.name} ${remote.address} ${remote.port}`;
      const known = calls.get(key);
      if (known !== undefined) calls.set(key, { ...known, sockets: known.sockets + 1 });
      else {
        const written = `${remote.address.includes(":") ? `[${remote.address}]` : remote.address}:${remote.port}`;
        const alias = this.#options.aliases.get(written) ?? null;
        calls.set(key, { service: owner.name, kind: owner.kind, ...remote, alias, sockets: 1 });
      }
    }
    // The widest ones first: when there are too many, these are kept.
    return [...calls.values()].sort((a, b) => b.sockets - a.sockets);
  }

  #cut<T>(list: readonly T[]): readonly T[] {
    const beyond = list.length - limits.maxConnectionsPerFrame;
    if (beyond > 0) this.#options.onDropped(beyond);
    return list.slice(0, limits.maxConnectionsPerFrame);
  }

  #tellOnce(key: string, message: string, detail: Readonly<Record<string, unknown>>): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#options.onTrouble(message, detail);
  }
}

/** Both ends of a connection on this machine are in the table: one of them was accepted where somebody listens. */
function withoutAccepted(established: readonly TcpSocket[], listening: readonly TcpSocket[]): TcpSocket[] {
  const ends = new Set(listening.map(({ local }) => `${local.address} ${local.port}`));
  return established.filter(({ local }) => !ends.has(`* ${local.port}`) && !ends.has(`${local.address} ${local.port}`));
}

function describeListens(
  listening: readonly TcpSocket[],
  owners: ReadonlyMap<number, Watched>,
): ConnectionReport["listens"] {
  const listens = new Map<string, ConnectionReport["listens"][number]>();
  for (const { inode, local } of listening) {
    const owner = owners.get(inode);
    // One that listens on IPv4 and on IPv6 listens once.
    if (owner !== undefined) {
      listens.set(`${owner.name} ${local.address} ${local.port}`, { service: owner.name, kind: owner.kind, ...local });
    }
  }
  return [...listens.values()];
}

/** Within one kernel and one network namespace, 127.0.0.1 is the same machine for all agents. Null elsewhere than on Linux. */
function readScope(): string | null {
  const boot = readProc("/proc/sys/kernel/random/boot_id").trim();
  try {
    const namespace = /\[(\d+)\]/.exec(readlinkSync("/proc/self/ns/net"))?.[1];
    return /^[0-9a-f-]{36}$/.test(boot) && namespace !== undefined ? `${boot}/${namespace}` : null;
  } catch {
    return null;
  }
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  return [...new Set(own.map(({ address }) => address))].sort().slice(0, limits.maxAddressesPerFrame);
}
