import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Hosts as network namespaces on one bridge. The bridge lies in a namespace of its own: nothing of it is seen from the machine. */

const network = "10.87.0";

export interface Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
}

/** Everybody on the bridge: the control plane, the clients, and the database hosts. */
export interface Layout {
  /** The bridge's own namespace. */
  readonly lan: string;
  readonly control: Host;
  readonly client: Host;
  readonly members: readonly Host[];
}

/** Two layouts with different prefixes don't see each other. */
export function describeLayout(prefix: string, memberCount: number): Layout {
  const host = (name: string, number: number): Host => ({
    name,
    namespace: `${prefix}-${name}`,
    address: `${network}.${number}`,
  });
  return {
    lan: `${prefix}-lan`,
    control: host("control", 10),
    client: host("client", 20),
    members: ["a", "b", "c", "d", "e"].slice(0, memberCount).map((name, index) => host(name, 11 + index)),
  };
}

export function hostsOf(layout: Layout): readonly Host[] {
  return [layout.control, layout.client, ...layout.members];
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("ip", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}

/** Needs root, iproute2 and iptables. */
export function createNetwork(layout: Layout): void {
  removeNetwork(layout);
  const { lan } = layout;
  ip("netns", "add", lan);
  ip("-n", lan, "link", "add", "br0", "type", "bridge");
  ip("-n", lan, "link", "set", "br0", "up");
  for (const host of hostsOf(layout)) {
    const port = `p-${host.name}`;
    ip("netns", "add", host.namespace);
    ip("link", "add", port, "netns", lan, "type", "veth", "peer", "name", "eth0", "netns", host.namespace);
    ip("-n", lan, "link", "set", port, "master", "br0", "up");
    ip("-n", host.namespace, "addr", "add", `${host.address}/24`, "dev", "eth0");
    ip("-n", host.namespace, "link", "set", "eth0", "up");
    ip("-n", host.namespace, "link", "set", "lo", "up");
  }
}

export function removeNetwork(layout: Layout): void {
  for (const namespace of [...hostsOf(layout).map((host) => host.namespace), layout.lan]) {
    if (existsSync(`/run/netns/${namespace}`)) ip("netns", "del", namespace);
  }
}

/** Drops every packet between a host and the network, or only those between it and some hosts: no FIN, no RST. */
export function cutHost(host: Host, from: readonly Host[] | "all" = "all"): void {
  const rules = from === "all" ? [[]] : from.map((other) => [other.address]);
  for (const [address] of rules) {
    filter(host, "-A", "INPUT", "-i", "eth0", ...(address === undefined ? [] : ["-s", address]), "-j", "DROP");
    filter(host, "-A", "OUTPUT", "-o", "eth0", ...(address === undefined ? [] : ["-d", address]), "-j", "DROP");
  }
}

/** Drops what the host sends, or what is sent to it; the other direction passes. */
export function cutOneWay(host: Host, direction: "sends" | "receives"): void {
  const [chain, flag] = direction === "sends" ? ["OUTPUT", "-o"] : ["INPUT", "-i"];
  filter(host, "-A", chain as string, flag as string, "eth0", "-j", "DROP");
}

export function mendHost(host: Host): void {
  filter(host, "-F");
}

function filter(host: Host, ...args: readonly string[]): void {
  const run = ["netns", "exec", host.namespace, "iptables", "-w", ...args];
  ip(...run);
}

/** Every process of the host. */
export function listProcesses(host: Host): readonly number[] {
  const { stdout } = spawnSync("ip", ["netns", "pids", host.namespace], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** The processes of the host whose command line has this text. */
export function findProcesses(host: Host, text: string): readonly number[] {
  return listProcesses(host).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text);
    } catch {
      return false;
    }
  });
}

export function signalAll(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  }
}
