import { machineMs } from "./clock.ts";
import type { DemoNode } from "./demo-node.ts";
import { type FaultName, type FaultRequest, isShopFaultName, type ShopFaultName } from "./fault-names.ts";
import type { Fabric } from "./network/fabric.ts";
import type { ShopFaults } from "./shop/shop-faults.ts";
import type { SwitchoverStart } from "./switchover.ts";

/** What the injector needs of the running demo. */
export interface FaultTargets {
  nodes(): readonly DemoNode[];
  /** Nothing is broken there by a fault of the list; a person may still have killed its agent. */
  readonly applicationNode: DemoNode;
  readonly fabric: Fabric;
  readonly shop: ShopFaults;
  findPrimary(): Promise<string | null>;
  killControlPlane(): void;
  controlPlaneRuns(): boolean;
  startControlPlane(): Promise<void>;
  /** Planned change of primary through the API; by default to the standby that the control plane prefers. */
  switchOver(target: string | null): Promise<SwitchoverStart>;
}

export interface FaultOutcome {
  readonly fault: FaultRequest["fault"];
  readonly node: string | null;
  /** When it took effect, by the machine's monotonic clock. */
  readonly atMs: number;
  /** What was done, for the terminal. */
  readonly detail: string;
}

const controlPlaneDownMs = 5_000;
const defaultBlipMs = 800;

/** Causes faults on real processes and undoes them. Keeps no judgement: what follows is Holdfast's business. */
export class FaultInjector {
  readonly #active = new Map<string, FaultName>();

  constructor(private readonly targets: FaultTargets) {}

  /** Node (or `control-plane`) → the fault it suffers from now. */
  get active(): Readonly<Record<string, FaultName | ShopFaultName>> {
    return { ...Object.fromEntries(this.#active), ...this.targets.shop.active };
  }

  /** @throws Error with a sentence when the fault can't be caused now. */
  async cause(request: FaultRequest): Promise<FaultOutcome> {
    if (isShopFaultName(request.fault)) return this.targets.shop.cause(request.fault, request);
    switch (request.fault) {
      case "heal":
        return this.#heal(request.node ?? null);
      case "ctl":
        return this.#killControlPlane();
      case "switchover":
        return this.#switchOver(request.node ?? null);
      case "blip":
        return this.#blip(await this.#pick(request), request.ms ?? defaultBlipMs);
      case "crash":
      case "pgkill":
      case "power":
      case "freeze":
      case "pgfreeze":
      case "partition":
        return this.#strike(request.fault, await this.#pick(request));
      default:
        return assertNever(request.fault);
    }
  }

  /** A node, or one Redis server of a node by its own name. */
  async #pick(request: FaultRequest): Promise<Place> {
    const id = request.node ?? (await this.targets.findPrimary());
    for (const node of this.targets.nodes()) {
      if (node.id === id) return { node, server: null };
      if (id !== null && node.redisServers.includes(id)) return { node, server: id };
    }
    throw new Error("No node is primary now. Name a node with --node, or wait until there is one.");
  }

  async #strike(
    fault: Exclude<FaultName, "ctl" | "switchover" | "blip">,
    { node, server }: Place,
  ): Promise<FaultOutcome> {
    const { fabric } = this.targets;
    refuseMisplaced(fault, node, server);
    const before = this.#active.get(node.id);
    if (before !== undefined && before !== "pgkill") {
      throw new Error(`${node.id} suffers from ${before} already. Heal it first: break heal.`);
    }
    const atMs = machineMs();
    let detail: string;
    if (fault === "crash") detail = `${node.kill()} processes killed`;
    else if (fault === "pgkill") detail = `${node.killDatabase(server)} ${node.databaseName} processes killed`;
    else if (fault === "freeze") detail = `${node.freeze()} processes stopped`;
    else if (fault === "pgfreeze") detail = `${node.freezeDatabase(server)} ${node.databaseName} processes stopped`;
    else {
      await fabric.cut(node.id, fault === "power" ? "all" : "cluster");
      detail = fault === "power" ? `network cut, ${node.kill()} processes killed` : "cluster and control links cut";
    }
    this.#active.set(node.id, fault);
    return { fault, node: server ?? node.id, atMs, detail };
  }

  async #blip({ node, server }: Place, blipMs: number): Promise<FaultOutcome> {
    refuseMisplaced("blip", node, server);
    const atMs = machineMs();
    const count = node.freeze();
    await new Promise((resolve) => setTimeout(resolve, blipMs));
    node.thaw();
    return { fault: "blip", node: node.id, atMs, detail: `${count} processes stopped for ${blipMs} ms` };
  }

  async #killControlPlane(): Promise<FaultOutcome> {
    const atMs = machineMs();
    this.targets.killControlPlane();
    this.#active.set("control-plane", "ctl");
    setTimeout(() => void this.#reviveControlPlane(), controlPlaneDownMs).unref();
    return { fault: "ctl", node: null, atMs, detail: `killed; it starts again in ${controlPlaneDownMs / 1000} s` };
  }

  async #reviveControlPlane(): Promise<void> {
    if (!this.#active.delete("control-plane")) return;
    await this.targets.startControlPlane();
  }

  async #switchOver(target: string | null): Promise<FaultOutcome> {
    return { fault: "switchover", node: target, ...(await this.targets.switchOver(target)) };
  }

  /** Network first, then the processes: what comes back finds a network again, as after a power cut. */
  async #heal(only: string | null): Promise<FaultOutcome> {
    const atMs = machineMs();
    const healed: string[] = [];
    for (const node of this.targets.nodes()) {
      if (only !== null && node.id !== only && !node.redisServers.includes(only)) continue;
      const needed = this.#active.delete(node.id) || node.frozen || !node.agentRuns;
      await this.targets.fabric.heal(node.id);
      node.thaw();
      node.startAgent();
      if (needed) healed.push(node.id);
    }
    // Also what somebody killed by its pid.
    const { applicationNode } = this.targets;
    if (!applicationNode.agentRuns) {
      applicationNode.startAgent();
      healed.push(applicationNode.id);
    }
    if (!this.targets.controlPlaneRuns()) {
      this.#active.delete("control-plane");
      await this.targets.startControlPlane();
      healed.push("the control plane");
    }
    healed.push(...(await this.targets.shop.heal(only)));
    return {
      fault: "heal",
      node: only,
      atMs,
      detail: healed.length === 0 ? "nothing was broken" : `${healed.join(", ")} back`,
    };
  }
}

interface Place {
  readonly node: DemoNode;
  /** Only this server of the node; null: the whole node. */
  readonly server: string | null;
}

/** Redis nodes have no network of their own in the demo, and one server of a node has no agent of its own. */
function refuseMisplaced(fault: FaultName, node: DemoNode, server: string | null): void {
  const offered = server === null ? ["crash", "pgkill", "freeze", "pgfreeze", "blip"] : ["pgkill", "pgfreeze"];
  if (node.redisServers.length === 0 || offered.includes(fault)) return;
  throw new Error(`${fault} can't happen to ${server ?? node.id} in the demo. Choose one of: ${offered.join(", ")}.`);
}

function assertNever(value: never): never {
  throw new Error(`Unknown fault ${JSON.stringify(value)}`);
}
