import type { PeerSight } from "../../server/core/index.ts";
import type { PeerAssignment } from "../../server/protocol/index.ts";
import { limits } from "../../server/protocol/limits.ts";
import { GreetingProber } from "./greeting-prober.ts";
import { type PeerCredentials, PeerProber } from "./prober.ts";

/** The peers under watch: those the control plane assigned and those the configuration declares. */
export class Peers {
  readonly #node: string;
  readonly #declared: readonly PeerAssignment[];
  readonly #credentials: PeerCredentials | null;
  readonly #onChange: () => void;
  readonly #probers = new Map<string, PeerProber | GreetingProber>();

  /** Without credentials a peer is only greeted, which needs none. */
  constructor(
    node: string,
    declared: readonly PeerAssignment[],
    credentials: PeerCredentials | null,
    onChange: () => void,
  ) {
    this.#node = node;
    this.#declared = declared;
    this.#credentials = credentials;
    this.#onChange = onChange;
    this.assign([]);
  }

  assign(assigned: readonly PeerAssignment[]): void {
    const chosen = new Map<string, PeerAssignment>();
    for (const peer of [...this.#declared, ...assigned]) {
      // What the configuration declares stands above what was assigned: this node may reach the peer by another address.
      const name = `${peer.node}|${peer.cluster}`;
      if (peer.node !== this.#node && !chosen.has(name) && chosen.size < limits.maxPeers) chosen.set(name, peer);
    }
    const wanted = new Map([...chosen.values()].map((peer) => [keyOf(peer), peer]));
    for (const [key, prober] of this.#probers) {
      if (wanted.has(key)) continue;
      prober.stop();
      this.#probers.delete(key);
    }
    for (const [key, peer] of wanted) {
      if (this.#probers.has(key)) continue;
      const prober =
        this.#credentials === null
          ? new GreetingProber(peer, this.#onChange)
          : new PeerProber(peer, this.#credentials, this.#onChange);
      this.#probers.set(key, prober);
      prober.start();
    }
  }

  /** Members of a cluster among the peers. */
  nodesOf(cluster: string): readonly string[] {
    return [...this.#probers.values()]
      .map((prober) => prober.assignment)
      .filter((peer) => peer.cluster === cluster)
      .map((peer) => peer.node);
  }

  read(nowMs: number): readonly PeerSight[] {
    return [...this.#probers.values()].map((prober) => prober.read(nowMs));
  }

  stop(): void {
    for (const prober of this.#probers.values()) prober.stop();
    this.#probers.clear();
  }
}

function keyOf(peer: PeerAssignment): string {
  return `${peer.node}|${peer.cluster}|${peer.host}|${peer.port}`;
}
