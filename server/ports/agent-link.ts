import type { CommandRecord, Event, LeaseRenewal, NodeRecord } from "../core/index.ts";
import type { PeerAssignment } from "../protocol/index.ts";

/** What the loop may do to agents. Nothing here throws or waits; what can't be sent now is sent again after a reconnect. */
export interface AgentLink {
  /** Signs and sends. False when the node has no live session (the outbox tries again). */
  send(command: CommandRecord): boolean;
  /** The result is committed: the agent may forget it. */
  acknowledge(node: string, commandId: string): void;
  /** Ends the node's session at once (revocation, or another leader took over). */
  drop(node: string, code: string): void;
  /** Tells an asynchronous primary that it may go on. Not repeated: the primary asks anew with every beat. */
  renewLease(renewal: LeaseRenewal): void;
  /** Tells every connected agent whose peers changed. */
  refreshPeers(): void;
}

/** What the gateway needs of the control plane. */
export interface AgentIntake {
  /** False before the durable state was loaded for the first time: then nobody can be told apart. */
  isReady(): boolean;
  /** False when the mailbox is full: the frame was dropped and must not be acknowledged. */
  post(event: Event): boolean;
  /** Resolves true once the node is committed. */
  enrol(node: NodeRecord): Promise<boolean>;
  findNodeByKey(publicKey: string): NodeRecord | null;
  findNode(id: string): NodeRecord | null;
  /** Clusters whose record has this node as a member. */
  clustersOf(node: string): readonly string[];
  /** Redis clusters whose record has a server of this node. */
  redisOf(node: string): readonly string[];
  listPeers(node: string): readonly PeerAssignment[];
  /** Members of a cluster beat faster than other nodes, milliseconds. */
  heartbeatMs(node: string): number;
}
